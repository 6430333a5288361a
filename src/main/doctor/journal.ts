import type { DatabaseSync } from "node:sqlite";
import { CHAINED_SINCE, MIGRATIONS } from "../../store/sqlite/schema.ts";
import { type EventHead, type VerifiedEvents, verifyEvents } from "../../store/sqlite/verify-events.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** 100,000 events take about a second. */
const DEADLINE_MS = 30_000;
/** Of a hash, in what people read and note: 48 bits. */
const SHORT = 12;

const CHANGED =
  "Traffic and deployments do not hang on it. Keep a copy of teal.db, see who can write there, and put back a backup " +
  "from before (docs/security.md); the finding ends then, or when the event is removed with age.";
const WITNESS =
  "Whoever can write all of teal.db can write the chain anew: only a head that was noted elsewhere shows that (--noted)";

/** Whether the events are those that Teal wrote, as far as their chain can tell. `schema`: the version of the store. */
export async function journal(
  database: DatabaseSync,
  schema: number,
  signal: AbortSignal,
  noted: EventHead | null,
): Promise<readonly Finding[]> {
  if (schema < CHAINED_SINCE)
    return [ok("journal", "not chained yet: the server of this version does that when it starts")];
  // What a newer Teal chains, and over what, is not known here; `schema` says so.
  if (schema > MIGRATIONS.length) return [];
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    const seen = await verifyEvents(database, AbortSignal.any([signal, deadline]), noted);
    const head = seen.head === null ? {} : { head: seen.head };
    return [{ ...chain(seen, early(database, seen)), ...head }, ...(noted === null ? [] : [comparison(seen, noted)])];
  } catch (thrown) {
    if (signal.aborted || !deadline.aborted) throw thrown;
    const message = `not followed to its end within ${String(DEADLINE_MS / 1_000)} s`;
    return [warning("journal", message, "Run it again when the machine has less to do.")];
  }
}

function chain(seen: VerifiedEvents, isEarly: boolean): Finding {
  const { head, count, pruned, beganAfter, fault } = seen;
  if (fault !== null || head === null)
    return problem("journal", `${fault ?? "it has no head"}: teal.db was changed past Teal, or by its disk`, CHANGED);
  const parts = [
    `${String(count)} events in an unbroken chain${head.seq === 0 ? "" : `, head ${nameOf(head)}`}`,
    ...(pruned === 0 ? [] : [`${String(pruned)} older ones were removed with age`]),
    ...(isEarly ? [`those up to ${String(beganAfter)} are from before there was a chain, and as it found them`] : []),
  ];
  return ok("journal", `${parts.join("; ")}. ${WITNESS}`);
}

/** Whether events are left that were there before the chain. */
function early(database: DatabaseSync, { beganAfter }: VerifiedEvents): boolean {
  return database.prepare("SELECT 1 FROM events WHERE seq <= ? LIMIT 1").get(beganAfter) !== undefined;
}

function comparison({ head, fault, noted: became }: VerifiedEvents, noted: EventHead): Finding {
  const name = `event ${nameOf(noted)}`;
  if (became === "same") return ok("noted", `${name} is there as it was noted, and so is all before it`);
  if (became === "other") {
    const message = `event ${String(noted.seq)} has another hash than was noted: the chain was written anew, or it is another store's`;
    return problem("noted", message, CHANGED);
  }
  if (became === "removed")
    return warning("noted", `${name} was removed with age, and shows nothing any more`, "Note the newest head.");
  if (fault !== null)
    return warning("noted", `${name} is behind what does not fit`, "See what is said of the journal.");
  const message = `the newest event is ${String(head?.seq ?? 0)}, and ${String(noted.seq)} was noted: the newest were cut off, or an older copy of teal.db stands here`;
  return problem("noted", message, CHANGED);
}

function nameOf({ seq, hash }: EventHead): string {
  return `${String(seq)}:${hash.slice(0, SHORT)}`;
}
