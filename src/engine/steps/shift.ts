import { TealError } from "../../model/error.ts";
import { otherOf } from "../../model/names.ts";
import type { Release } from "../../model/release.ts";
import { type Receipt, sameWeights, type Weights } from "../../model/traffic.ts";
import type { TrafficObservation } from "../../ports/traffic.ts";
import type { ServiceRow } from "../../store/store.ts";
import { throwIfLatched } from "../latched.ts";
import { patiently } from "../patience.ts";
import { settledAt, type Stretch } from "../steady-traffic.ts";
import { throwIfUnhealthy } from "../unhealthy.ts";
import type { Effects, StepHandler, StepOutcome, StepRun } from "../step.ts";
import { driftAt, driftError, driftOf, settleDrift } from "./drift.ts";
import { watch } from "./watch.ts";

/** Deployments among which the one is looked for that made the active release active. */
const LOOKED_BACK = 32;

/** Reads the live split back, gives the environment its weight, and watches for as long as the plan says. */
export const shift: StepHandler = {
  async run(run): Promise<StepOutcome> {
    const { input, desk, deployment } = run;
    const { release } = run;
    const weights = input.weights ?? {};
    const watchMs = input.watchMs ?? 0;
    await settleDrift(run);
    // Read before the first request goes over: what the active environment is like, and where counting begins.
    const before = watchMs === 0 ? null : await beforeShift(run);
    const applied = await desk.alone(deployment.service, () => apply(run, release, weights));
    if (watchMs === 0) return { result: { generation: applied.generation }, effects: applied.effects };
    const { environment, advance = "time", maxWaitMs } = input;
    const over = new AbortController();
    try {
      // Watched from now on, also while the disk does not let that be written down.
      await Promise.all([
        keepBeginning(run, applied.effects, AbortSignal.any([run.context.signal, over.signal])),
        watch(run, {
          environment,
          baseline: deployment.from,
          watchMs,
          before,
          advance,
          ...(maxWaitMs === undefined ? {} : { maxWaitMs }),
        }),
      ]);
    } finally {
      over.abort(new TealError("aborted", "the watch is over"));
    }
    return { result: { generation: applied.generation } };
  },
  async late(run) {
    const { desk, parts, deployment, release, context } = run;
    const seen = await desk.driver(release).observe(deployment.service, context.signal);
    const row = await parts.store.service(deployment.service);
    const live = row === null ? null : driftOf(seen, row);
    return live === null || row === null
      ? new TealError("deadline-passed", `${run.id} was not done in time`)
      : driftError(live, row);
  },
  // Taking traffic back is not a clean-up: it was the rollback's very first act.
  undo: null,
};

/** What the active environment was like with the release that it has. */
async function beforeShift({ parts, desk, deployment: { service } }: StepRun): Promise<Stretch | null> {
  return desk.steady.of(service, settledAt(await parts.store.history(service, LOOKED_BACK)));
}

async function keepBeginning(run: StepRun, effects: Effects, signal: AbortSignal): Promise<void> {
  if (run.progress["watchedSince"] !== undefined) return;
  const watchedSince = run.elapsed.begin();
  const patient = {
    parts: run.parts,
    deployment: run.deployment,
    step: { id: run.id, attempt: run.context.attempt },
  };
  await patiently(patient, signal, () => run.record({ watchedSince }, effects));
}

interface Applied {
  readonly generation: number;
  readonly effects: Effects;
}

async function apply(run: StepRun, release: Release, weights: Weights): Promise<Applied> {
  const { deployment, desk, parts, context } = run;
  const { service } = deployment;
  const seen = await desk.driver(release).observe(service, context.signal);
  const row = await parts.store.service(service);
  if (row === null) throw new TealError("service-unknown", `${service} has no record`);
  throwIfLatched(deployment.id, seen);
  const intended = run.progress["generation"];
  if (typeof intended === "number" && seen.split?.generation === intended && sameWeights(seen.split.weights, weights)) {
    return { generation: intended, effects: effectsOf(run, { weights, generation: intended }, null) };
  }
  // It is applied and recorded: what differs from the plan since then, a person has set by hand.
  if (run.progress["watchedSince"] !== undefined && driftOf(seen, row) === null && seen.split !== null) {
    return { generation: seen.split.generation, effects: {} };
  }
  throwIfDrifted(run, seen, row);
  if (run.input.force !== true)
    await throwIfUnhealthy(parts, { service, environment: run.input.environment, release }, seen, context.signal);
  const generation = Math.max(seen.split?.generation ?? 0, row.generation) + 1;
  await run.record({ generation }, { touchedTraffic: true });
  const began = parts.clock.monotonic();
  const receipt = await desk.apply(
    service,
    {
      weights,
      deployment: deployment.id,
      revertTo: revertTarget(run),
      generation,
      release,
      promotes: run.input.promotes === true,
    },
    seen,
    context,
  );
  const tookMs = Number((parts.clock.monotonic() - began).toFixed(3));
  return { generation, effects: effectsOf(run, { weights, generation, tookMs }, receipt) };
}

/** Between the look that found none and this one. */
function throwIfDrifted(run: StepRun, seen: TrafficObservation, row: ServiceRow): void {
  const { progress, deployment } = run;
  const isFirst = progress["generation"] === undefined;
  if (progress["drift"] !== undefined || (isFirst && deployment.goal !== "deploy")) return;
  const live = driftAt(run, seen, row);
  if (live !== null) throw driftError(live, row);
}

/** What the data plane goes back to when it is told to revert; a first release has nothing to go back to. */
function revertTarget({ deployment: { from, to } }: StepRun): Weights | null {
  return from === null || from === to ? null : { [from]: 100, [to]: 0 };
}

/** `tookMs`: from the call to every worker's acknowledgement. */
function effectsOf(
  run: StepRun,
  split: { readonly weights: Weights; readonly generation: number; readonly tookMs?: number },
  receipt: Receipt | null,
): Effects {
  const { weights, generation } = split;
  const { from, to } = run.deployment;
  const all = weights[to] === 100 || run.input.promotes === true;
  return {
    touchedTraffic: true,
    split: { generation, weights },
    ...(all ? { roles: { active: to, standby: from === null || from === to ? otherOf(to) : from } } : {}),
    ...(receipt === null ? {} : { receipt }),
    events: [
      run.event("split-applied", { ...split }),
      ...(receipt === null ? [] : [run.event("receipt", { ...receipt })]),
    ],
  };
}
