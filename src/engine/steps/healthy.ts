import type { InstanceStatus } from "../../model/environment.ts";
import { TealError } from "../../model/error.ts";
import type { EnvironmentObservation } from "../../ports/environment.ts";
import { driverOf } from "../parts.ts";
import { scaled } from "../scaled.ts";
import type { StepHandler, StepRun } from "../step.ts";

/** Instances announce their changes; this often it is looked anyway, should an announcement get lost. */
const LOOK_EVERY_MS = 500;

/** Waits until every instance is ready, then makes the environment known to the data plane, which watches its health from then on. */
export const healthy: StepHandler = {
  async run(run) {
    const { parts, desk, deployment, input, context } = run;
    const { release } = run;
    const driver = driverOf(parts.environments, release.spec.environment.driver);
    const record = (await parts.store.environments(deployment.service)).find(({ name }) => name === input.environment);
    const { count } = scaled(release, record).spec.environment;
    for (;;) {
      const waiting = new AbortController();
      const signal = AbortSignal.any([context.signal, waiting.signal]);
      try {
        const changed = parts.hub.next(
          "instance",
          (message) => message.service === deployment.service && message.environment === input.environment,
          signal,
        );
        const tick = parts.clock.sleep(LOOK_EVERY_MS, signal);
        const woken = Promise.race([changed, tick]);
        woken.catch(() => undefined);
        const observation = await driver.observe(deployment.service, input.environment, context.signal);
        if (ready(observation) >= count) break;
        throwIfHopeless(run, observation);
        await woken;
      } finally {
        waiting.abort(new TealError("aborted", "looked again"));
      }
      context.signal.throwIfAborted();
    }
    const generation = await desk.refresh(deployment.service, release, context);
    return { result: { instances: count, generation } };
  },
  async late(run) {
    const { parts, deployment, input, release, context } = run;
    const driver = driverOf(parts.environments, release.spec.environment.driver);
    const { instances } = await driver.observe(deployment.service, input.environment, context.signal);
    const seconds = release.spec.health.deadlineMs / 1000;
    return new TealError("not-healthy", `not healthy within ${String(seconds)} s: ${describe(instances)}`, remedy(run));
  },

  undo: null,
};

function describe(instances: readonly InstanceStatus[]): string {
  const waiting = instances.filter(({ state }) => state !== "ready");
  if (waiting.length === 0) return "no instance was started";
  return waiting.map(({ id, state, reason }) => `${id} is ${state}${reason === null ? "" : `: ${reason}`}`).join("; ");
}

function ready(observation: EnvironmentObservation): number {
  return observation.instances.filter(({ state }) => state === "ready").length;
}

function throwIfHopeless(run: StepRun, observation: EnvironmentObservation): void {
  const lost = observation.instances.find(({ state }) => state === "failed" || state === "crash-loop");
  if (lost !== undefined)
    throw new TealError(lost.code ?? "crash-loop", `${lost.id}: ${lost.reason ?? lost.state}`, remedy(run));
}

function remedy(run: StepRun): { remedy: string } {
  return { remedy: `See \`teal logs ${run.input.environment}\`; nothing has been switched.` };
}
