import type { Evidence, Invariant } from "../evidence.ts";
import { chain } from "./chain.ts";
import { durability } from "./durability.ts";
import { ending } from "./ending.ts";
import { healthGate } from "./health-gate.ts";
import { losses } from "./losses.ts";
import { onePlace } from "./one-place.ts";
import { order } from "./order.ts";
import { outcome } from "./outcome.ts";
import { retired } from "./retired.ts";

/** Every invariant that evidence from outside can show; {@link losses} is counted on its own. */
const INVARIANTS: Readonly<Record<string, Invariant>> = {
  order,
  chain,
  durability,
  ending,
  healthGate,
  onePlace,
  outcome,
  retired,
};

/** One line per breach, with the name of its invariant. */
export function breaches(evidence: Evidence): readonly string[] {
  return Object.entries(INVARIANTS).flatMap(([name, invariant]) =>
    invariant(evidence).map((breach) => `${name}: ${breach}`),
  );
}

export { losses };
