import type { StepHandler } from "../step.ts";
import { watch } from "./watch.ts";

/**
 * Watches the new active environment. At 100 % nothing runs beside it, so only absolute limits take it back; with a
 * holdback it is compared with what the old one keeps.
 */
export const bake: StepHandler = {
  async run(run) {
    const { input, deployment } = run;
    const { from, to } = deployment;
    const baseline = from !== null && from !== to && (input.weights?.[from] ?? 0) > 0 ? from : null;
    if (run.progress["watchedSince"] === undefined) await run.record({ watchedSince: run.elapsed.begin() });
    const watchMs = input.watchMs ?? 0;
    await watch(run, { environment: input.environment, baseline, watchMs, before: null, advance: "time" });
    return { result: {} };
  },
  undo: null,
};
