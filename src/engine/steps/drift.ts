import { TealError } from "../../model/error.ts";
import type { DriftChoice } from "../../model/hold.ts";
import type { StepInput } from "../../model/plan.ts";
import type { Milliseconds } from "../../model/time.ts";
import { sameWeights, type Weights } from "../../model/traffic.ts";
import type { TrafficObservation } from "../../ports/traffic.ts";
import type { ServiceRow, StepRow } from "../../store/store.ts";
import { throwIfLatched } from "../latched.ts";
import type { StepRun } from "../step.ts";

/** What holds for the live split may change by itself: this often it is looked. */
const LOOK_EVERY_MS: Milliseconds = 1_000;

const REMEDY =
  "`teal resume --adopt` takes the live split as Teal's own, `teal resume --overwrite` sets the recorded one; `teal abort` takes the deployment back.";

/**
 * The live split where it is newer than all that is known of it, and another one; null when it is not. Teal records each
 * number before it is used, so somebody else has set it: by hand just before a crash, or as an older copy of the database
 * has been put back. `intended`: numbers and weights that a step has recorded as its own.
 */
export function overtakenBy(
  { split }: TrafficObservation,
  row: ServiceRow,
  intended: readonly { readonly generation: number; readonly weights: Weights }[],
): Weights | null {
  if (split === null || sameWeights(split.weights, row.weights)) return null;
  if (intended.some(({ weights }) => sameWeights(split.weights, weights))) return null;
  const known = Math.max(row.generation, ...intended.map(({ generation }) => generation));
  return split.generation > known ? split.weights : null;
}

/** The split that a shift has recorded as what it is about to set; none before it has. */
export function intentOf(
  { progress }: Pick<StepRow, "progress">,
  { weights }: Pick<StepInput, "weights">,
): readonly { readonly generation: number; readonly weights: Weights }[] {
  const { generation } = progress;
  return typeof generation === "number" && weights !== undefined ? [{ generation, weights }] : [];
}

/** The live split where it is not the recorded one; null when it is. */
export function driftOf(seen: TrafficObservation, row: ServiceRow): Weights | null {
  return seen.split === null || sameWeights(seen.split.weights, row.weights) ? null : seen.split.weights;
}

export function driftError(live: Weights, { weights }: ServiceRow): TealError {
  return new TealError("drift", `the live split is ${JSON.stringify(live)}, Teal had set ${JSON.stringify(weights)}`, {
    remedy: REMEDY,
  });
}

/**
 * Invariant 6: a deployment whose split somebody else has changed holds until a person has said what is to become of that.
 * A switch or rollback by hand is a person overwriting whatever is live; it is told, not held.
 */
export async function settleDrift(run: StepRun): Promise<void> {
  const { parts, desk, deployment, release, context, holding } = run;
  let told = false;
  while (run.progress["drift"] === undefined) {
    const seen = await desk.driver(release).observe(deployment.service, context.signal);
    // What the data plane has taken back by itself is no drift.
    throwIfLatched(deployment.id, seen);
    const row = await parts.store.service(deployment.service);
    const live = row === null ? null : driftAt(run, seen, row);
    if (live === null || row === null) break;
    if (!told) await run.emit("drift", { expected: row.weights, live });
    told = true;
    if (deployment.goal !== "deploy" && run.progress["generation"] === undefined) break;
    holding.set({ kind: "drift", message: driftError(live, row).message, remedy: REMEDY });
    const { order } = holding;
    if (order === null) await Promise.race([holding.woken, parts.clock.sleep(LOOK_EVERY_MS, context.signal)]);
    else if (order.drift === null) {
      holding.refuse(new TealError("drift", driftError(live, row).message, { remedy: REMEDY }));
    } else {
      const { by, reason, drift } = order;
      const events = [run.event("resumed", { kind: "drift", drift, by, reason, live, expected: row.weights })];
      await run.record({ drift }, { events, ...adopted(drift, seen) });
      holding.obeyed();
    }
  }
  holding.set(null);
}

/** A later attempt finds the split of its first one, unless that has been overtaken. */
export function driftAt(run: StepRun, seen: TrafficObservation, row: ServiceRow): Weights | null {
  return run.progress["generation"] === undefined
    ? driftOf(seen, row)
    : overtakenBy(seen, row, intentOf(run, run.input));
}

/** Overwriting needs nothing more: the step's own split comes next. */
function adopted(
  drift: DriftChoice,
  { split }: TrafficObservation,
): { split?: { readonly generation: number; readonly weights: Weights } } {
  return drift === "overwrite" || split === null
    ? {}
    : { split: { generation: split.generation, weights: split.weights } };
}
