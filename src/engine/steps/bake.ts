import type { StepHandler } from "../step.ts";
import { watch } from "./watch.ts";

/** Watches the new active environment at 100 %. Nothing runs beside it, so only absolute limits take it back. */
export const bake: StepHandler = {
  async run(run) {
    const { input, parts } = run;
    if (run.progress["watchedSince"] === undefined) await run.record({ watchedSince: parts.clock.now() });
    const watchMs = input.watchMs ?? 0;
    await watch(run, { environment: input.environment, baseline: null, watchMs, before: null, advance: "time" });
    return { result: {} };
  },
  undo: null,
};
