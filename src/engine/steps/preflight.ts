import { askMetrics } from "../metrics/preflight.ts";
import type { StepHandler, StepRun } from "../step.ts";
import { healthyIn } from "../traffic-desk.ts";
import { driftError, driftOf } from "./drift.ts";

/**
 * The live split must be the one that was journaled. An active environment without a healthy instance does not stop a
 * deployment, which may be the cure, but is told: going back to it would not help.
 */
export const preflight: StepHandler = {
  async run(run) {
    const { desk, parts, deployment, context, release } = run;
    const row = await parts.store.service(deployment.service);
    const seen = await desk.driver(release).observe(deployment.service, context.signal);
    const live = row === null ? null : driftOf(seen, row);
    if (live !== null && row !== null) {
      await run.emit("drift", { expected: row.weights, live });
      throw driftError(live, row);
    }
    // Left by a deployment that is done, when the data plane could not be told at its end.
    if (seen.armed !== null && seen.armed.deployment !== deployment.id)
      await desk.disarm(release, seen.armed.deployment, context);
    if (deployment.from !== null && healthyIn(seen, deployment.from) === 0) await warnUnhealthy(run, deployment.from);
    if (deployment.from !== null) await askMetrics(run, deployment.from);
    return { result: { generation: seen.split?.generation ?? 0 } };
  },
  undo: null,
};

function warnUnhealthy(run: StepRun, active: string): Promise<void> {
  return run.emit("warning", {
    code: "unhealthy",
    message: `the active environment ${active} has no healthy instance: there is nothing good to roll back to`,
    remedy: `See \`teal logs ${active}\`.`,
  });
}
