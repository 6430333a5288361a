import { toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import { aboutOf, type StepAttempt } from "./about.ts";
import type { Running } from "./running.ts";

/** Passes by itself: a full disk, a keeper or a proxy that is being started again. Says nothing about the release. */
const PASSING: ReadonlySet<string> = new Set(["store-failed", "keeper-down", "data-plane-down"]);

/** Longest that a deployment waits for that before it is taken back; a step's own deadline may be sooner. */
const PATIENCE_MS: Milliseconds = 30_000;

/** What patience has been spent on: an act around the act is not patient with it again. */
const spent = new WeakSet<object>();

/** Whose act it is, for the log; `step` when it is that of one. */
interface Patient extends Pick<Running, "parts" | "deployment"> {
  readonly step?: StepAttempt;
}

/**
 * Tries an act of a deployment's way forward again while what fails it may pass. The act is repeatable, and knows from
 * `again` that an earlier try may have been done though its answer was lost.
 * @throws what the act threw last, when patience is over or the signal aborts
 */
export async function patiently<T>(
  { parts, deployment, step }: Patient,
  signal: AbortSignal,
  act: (again: boolean) => Promise<T>,
): Promise<T> {
  const { clock, report } = parts;
  let end: Milliseconds | null = null;
  for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 2_000)) {
    try {
      return await act(end !== null);
    } catch (thrown) {
      const problem = toTealError(thrown);
      end ??= clock.monotonic() + PATIENCE_MS;
      if (!PASSING.has(problem.code) || spent.has(problem) || signal.aborted) throw problem;
      if (clock.monotonic() + waitMs > end) {
        spent.add(problem);
        throw problem;
      }
      report(problem, { ...aboutOf(deployment, step ?? null), doing: "waiting for it to pass" });
      const isOver = await clock.sleep(waitMs, signal).then(
        () => false,
        () => true,
      );
      if (isOver) throw problem;
    }
  }
}
