import { TealError } from "../../model/error.ts";
import { otherOf } from "../../model/names.ts";
import type { Release } from "../../model/release.ts";
import { type Receipt, sameWeights, type Weights } from "../../model/traffic.ts";
import type { TrafficObservation } from "../../ports/traffic.ts";
import type { ServiceRow } from "../../store/store.ts";
import { throwIfLatched } from "../latched.ts";
import { driverOf } from "../parts.ts";
import type { Effects, StepHandler, StepOutcome, StepRun } from "../step.ts";
import { healthyIn } from "../traffic-desk.ts";
import { watch } from "./watch.ts";

/** Reads the live split back, gives the environment its weight, and watches for as long as the plan says. */
export const shift: StepHandler = {
  async run(run): Promise<StepOutcome> {
    const { input, desk, deployment } = run;
    const { release } = run;
    const weights = input.weights ?? {};
    const watchMs = input.watchMs ?? 0;
    // Read before the first request goes over: what the active environment is like, and where counting begins.
    const before = desk.steady.of(deployment.service);
    const applied = await desk.alone(deployment.service, () => apply(run, release, weights));
    if (watchMs === 0) return { result: { generation: applied.generation }, effects: applied.effects };
    if (run.progress["watchedSince"] === undefined) {
      await run.record({ watchedSince: run.parts.clock.now() }, applied.effects);
    }
    const { environment, advance = "time", maxWaitMs } = input;
    await watch(run, {
      environment,
      baseline: deployment.from,
      watchMs,
      before,
      advance,
      ...(maxWaitMs === undefined ? {} : { maxWaitMs }),
    });
    return { result: { generation: applied.generation } };
  },
  // Taking traffic back is not a clean-up: it was the rollback's very first act.
  undo: null,
};

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
  // A later attempt finds the split of its first one, or of this step's own refreshes: drift is looked for on the first.
  if (intended === undefined) await checkDrift(run, seen, row);
  if (run.input.force !== true) await throwIfUnhealthy(run, release, seen);
  const generation = Math.max(seen.split?.generation ?? 0, row.generation) + 1;
  await run.record({ generation }, { touchedTraffic: true });
  const began = parts.clock.monotonic();
  const receipt = await desk.apply(
    service,
    { weights, deployment: deployment.id, revertTo: revertTarget(run), generation, release },
    seen,
    context,
  );
  const tookMs = Number((parts.clock.monotonic() - began).toFixed(3));
  return { generation, effects: effectsOf(run, { weights, generation, tookMs }, receipt) };
}

/** What the data plane goes back to when it is told to revert; a first release has nothing to go back to. */
function revertTarget({ deployment: { from, to } }: StepRun): Weights | null {
  return from === null || from === to ? null : { [from]: 100, [to]: 0 };
}

/** Invariant 6. A switch or rollback by hand is a person overwriting whatever is live; it is told, not refused. */
async function checkDrift(run: StepRun, seen: TrafficObservation, row: ServiceRow): Promise<void> {
  if (seen.split === null || sameWeights(seen.split.weights, row.weights)) return;
  await run.emit("drift", { expected: row.weights, live: seen.split.weights });
  if (run.deployment.goal !== "deploy") return;
  const [live, expected] = [JSON.stringify(seen.split.weights), JSON.stringify(row.weights)];
  throw new TealError("drift", `the live split is ${live}, Teal had set ${expected}`);
}

/** Invariant 4. The data plane's view counts once it watches the environment; before that, the driver's. */
async function throwIfUnhealthy(run: StepRun, release: Release, seen: TrafficObservation): Promise<void> {
  const { deployment, input, parts, context } = run;
  const { environment } = input;
  if (healthyIn(seen, environment) > 0) return;
  const watched = seen.instances.some((instance) => instance.environment === environment);
  const driver = driverOf(parts.environments, release.spec.environment.driver);
  const { instances } = await driver.observe(deployment.service, environment, context.signal);
  if (!watched && instances.some(({ state }) => state === "ready")) return;
  throw new TealError("unhealthy", `${environment} of ${deployment.service} has no healthy instance`);
}

/** `tookMs`: from the call to every worker's acknowledgement. */
function effectsOf(
  run: StepRun,
  split: { readonly weights: Weights; readonly generation: number; readonly tookMs?: number },
  receipt: Receipt | null,
): Effects {
  const { weights, generation } = split;
  const { from, to } = run.deployment;
  const all = weights[to] === 100;
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
