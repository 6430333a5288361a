import { TealError } from "../../model/error.ts";
import type { EpochMilliseconds, Milliseconds } from "../../model/time.ts";
import type { StepHandler, StepRun } from "../step.ts";

/** An approval announces itself; this often it is looked anyway. */
const LOOK_EVERY_MS: Milliseconds = 10_000;

/** Waits until a person has approved, also before it came to this, and no longer than to the time that was stored at first. */
export const approval: StepHandler = {
  async run(run) {
    const { parts, deployment, context } = run;
    const waitMs = run.input.waitMs ?? 0;
    const since = (await wakeTime(run, waitMs)) - waitMs;
    for (;;) {
      const waiting = new AbortController();
      const signal = AbortSignal.any([context.signal, waiting.signal]);
      try {
        // Listens before it looks, so that nothing in between is missed.
        const told = parts.hub.next(
          "event",
          (event) => event.type === "approval" && event.deployment === deployment.id,
          signal,
        );
        const left = waitMs - run.elapsed.since(since);
        const tick = parts.clock.sleep(Math.min(Math.max(0, left), LOOK_EVERY_MS), signal);
        const woken = Promise.race([told, tick]);
        woken.catch(() => undefined);
        const given = await parts.store.approval(deployment.id);
        if (given !== null) return { result: { ...given } };
        if (left <= 0) throw new TealError("approval-expired", "nobody approved it in time");
        await woken;
      } finally {
        waiting.abort(new TealError("aborted", "looked again"));
      }
    }
  },
  undo: null,
};

/** Counted from the first attempt, however often the server is started again. */
async function wakeTime(run: StepRun, waitMs: Milliseconds): Promise<EpochMilliseconds> {
  const stored = run.progress["wakeAt"];
  if (typeof stored === "number") return stored;
  const wakeAt = run.elapsed.begin() + waitMs;
  await run.record({ wakeAt });
  return wakeAt;
}
