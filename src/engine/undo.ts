import { longestDrainMs, takenBackTimes } from "../model/drain.ts";
import { toTealError } from "../model/error.ts";
import type { StepRow } from "../store/store.ts";
import { aboutOf } from "./about.ts";
import type { Running } from "./running.ts";
import { withDeadline } from "./run-step.ts";
import { handlerOf } from "./steps/handlers.ts";

/** Steps that may have had an effect, newest first. */
function begun(steps: readonly StepRow[]): readonly StepRow[] {
  return steps
    .filter(({ state }) => state === "running" || state === "done" || state === "failed" || state === "undoing")
    .toReversed();
}

/** Undoes every step that was begun. Each is retried until it succeeds or the engine stops; it does not listen to an abort. */
export async function undoSteps(run: Running, stop: AbortSignal): Promise<void> {
  const steps = begun(await run.parts.store.steps(run.deployment.id));
  for (const row of steps) {
    if (handlerOf(row.uses)?.undo == null) continue;
    const worstMs = row.worstMs + longestDrainMs(takenBackTimes(run.release.spec.traffic));
    await untilUndone(run, { ...row, startedAt: null, worstMs }, stop);
  }
}

async function untilUndone(run: Running, row: StepRow, stop: AbortSignal): Promise<void> {
  const undo = handlerOf(row.uses)?.undo;
  if (undo == null) return;
  await run.write({ steps: [{ id: row.id, state: "undoing" }] });
  for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 5_000)) {
    try {
      const { events, touchedTraffic: _unused, ...effects } = await withDeadline(run, row, stop, undo);
      await run.write({ ...effects, steps: [{ id: row.id, state: "undone", endedAt: run.parts.clock.now() }] }, [
        ...(events ?? []),
        run.event("step-undone", { title: row.title }, row.id),
      ]);
      return;
    } catch (thrown) {
      stop.throwIfAborted();
      const problem = toTealError(thrown);
      if (problem.code === "fenced") throw problem;
      run.parts.report(problem, { ...aboutOf(run.deployment, row), doing: "undo" });
      await run.parts.clock.sleep(waitMs, stop);
    }
  }
}
