import type { Evidence, Invariant } from "../evidence.ts";
import { chain } from "./chain.ts";
import { aborting } from "./aborting.ts";
import { announced } from "./announced.ts";
import { durability } from "./durability.ts";
import { ending } from "./ending.ts";
import { frozen } from "./frozen.ts";
import { goesOn } from "./goes-on.ts";
import { healthGate } from "./health-gate.ts";
import { landed } from "./landed.ts";
import { losses } from "./losses.ts";
import { onePlace } from "./one-place.ts";
import { order } from "./order.ts";
import { outcome } from "./outcome.ts";
import { retired } from "./retired.ts";

/** Every invariant that evidence from outside can show; {@link losses} is counted on its own. */
export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  order,
  chain,
  durability,
  announced,
  ending,
  healthGate,
  onePlace,
  outcome,
  retired,
  aborting,
  frozen,
  goesOn,
  landed,
};

/**
 * What shows that each of Teal's invariants holds: checkers of this folder, by name, and tests elsewhere, by path. Invariants
 * 7 and 8 are of contract migrations and pointers, which this version of Teal does not have.
 */
export const SHOWN_BY: Readonly<Record<number, readonly string[]>> = {
  // Sums to 100; order by (fence, generation); latches.
  1: ["order", "src/proxy/split-register.test.ts"],
  // Intent before effect; nothing is lost or repeated.
  2: ["durability", "announced", "goesOn", "src/engine/borders.test.ts"],
  // A defined end for everything.
  3: ["ending", "onePlace", "outcome"],
  // No traffic without health.
  4: ["announced", "healthGate"],
  // An abort at every moment, with the fewest parts.
  5: ["aborting"],
  // Drift stops a deploy.
  6: ["healthGate", "src/engine/by-hand.test.ts"],
  // Silence is no verdict: from outside it looks like a watch that takes its time.
  9: ["src/engine/evidence.test.ts", "src/analysis/guardrails.test.ts"],
  // What is retired has no traffic.
  10: ["retired"],
  // Nothing goes back to where nobody is healthy.
  11: ["frozen"],
};

/** One line per breach, with the name of its invariant. */
export function breaches(evidence: Evidence): readonly string[] {
  return Object.entries(INVARIANTS).flatMap(([name, invariant]) =>
    invariant(evidence).map((breach) => `${name}: ${breach}`),
  );
}

export { losses };
