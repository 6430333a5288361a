import { randomBytes } from "node:crypto";
import { directSqliteStore } from "../../store/sqlite/direct.ts";
import type { Store } from "../../store/store.ts";
import type { Clock } from "../../model/time.ts";
import { Hub } from "../hub.ts";
import { Journal } from "../journal.ts";
import { Tokens } from "../tokens.ts";
import { ManualClock } from "./manual-clock.ts";

/** Tokens over a store in memory. A use that cannot be recorded fails the test. */
export function memoryTokens(
  store: Store = directSqliteStore(":memory:"),
  clock: Clock = new ManualClock(),
): Promise<Tokens> {
  return Tokens.open({
    store,
    clock,
    journal: new Journal(store, new Hub(), clock),
    random: randomBytes,
    report: (problem) => {
      throw problem;
    },
  });
}
