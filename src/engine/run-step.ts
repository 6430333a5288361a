import { TealError } from "../model/error.ts";
import type { StepInput } from "../model/plan.ts";
import type { Milliseconds } from "../model/time.ts";
import type { StepRow } from "../store/store.ts";
import { Elapsed } from "./elapsed.ts";
import { reasonOf } from "./hub.ts";
import { patiently } from "./patience.ts";
import type { Running } from "./running.ts";
import type { Effects, StepOutcome, StepRun } from "./step.ts";
import { handlerOf } from "./steps/handlers.ts";

/** How long a step may go on after it was told to end, before it is left behind under its old fence. */
const GRACE_MS: Milliseconds = 2_000;

/** One for all: nobody reads it, and its stack costs more than the step's timers. */
const ENDED = new TealError("aborted", "the step has ended");

/** For finding words after a deadline has passed. */
const LATE_MS: Milliseconds = 5_000;

/** A step that a crash interrupted gets at least this long again, however late it is. */
const LEAST_AGAIN_MS: Milliseconds = 10_000;

/**
 * Runs a step's handler within its deadline. When the signal aborts, the handler has {@link GRACE_MS} to end.
 * @throws what the handler throws, `deadline-passed`, or the signal's reason
 */
export async function runStep(run: Running, row: StepRow, signal: AbortSignal): Promise<StepOutcome> {
  const handler = handlerOf(row.uses);
  if (handler === null) throw new TealError("unsupported", `this version of Teal does not know the step ${row.uses}`);
  try {
    const patient = { parts: run.parts, deployment: run.deployment, step: { id: row.id, attempt: row.attempt + 1 } };
    return await withDeadline(run, row, signal, (step) =>
      patiently(patient, step.context.signal, () => handler.run(step)),
    );
  } catch (thrown) {
    const isLate = thrown instanceof TealError && thrown.code === "deadline-passed" && !signal.aborted;
    if (!isLate || handler.late === undefined) throw thrown;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LATE_MS)]);
    throw await handler.late(stepRun(run, row, limit, run.parts.clock.monotonic() + LATE_MS));
  }
}

/** The deadline and grace of {@link runStep}, for any act of a step. */
export async function withDeadline<T>(
  run: Running,
  row: StepRow,
  signal: AbortSignal,
  act: (step: StepRun) => Promise<T>,
): Promise<T> {
  const { clock } = run.parts;
  const spent = row.startedAt === null ? 0 : Math.max(0, clock.now() - row.startedAt);
  const leftMs = row.startedAt === null ? row.worstMs : Math.max(row.worstMs - spent, LEAST_AGAIN_MS);
  const deadline = new AbortController();
  const over = new AbortController();
  const limit = AbortSignal.any([signal, deadline.signal]);
  const timer = clock.sleep(leftMs, over.signal).then(
    () => {
      deadline.abort(new TealError("deadline-passed", `${row.title}: not done within ${String(row.worstMs / 1000)} s`));
    },
    () => undefined,
  );
  try {
    return await settleWithin(act(stepRun(run, row, limit, clock.monotonic() + leftMs)), limit, run);
  } finally {
    over.abort(ENDED);
    await timer;
  }
}

async function settleWithin<T>(act: Promise<T>, limit: AbortSignal, run: Running): Promise<T> {
  const over = new AbortController();
  const late = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => {
      run.parts.clock.sleep(GRACE_MS, over.signal).then(
        () => {
          reject(reasonOf(limit));
        },
        () => undefined,
      );
    };
    if (limit.aborted) onAbort();
    else limit.addEventListener("abort", onAbort, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([act, late]);
  } catch (thrown) {
    // Whatever a handler threw because it was told to end, the reason for the end is what counts.
    throw limit.aborted ? reasonOf(limit) : thrown;
  } finally {
    over.abort(ENDED);
  }
}

/** @param deadline monotonic, as drivers take it */
function stepRun(run: Running, row: StepRow, signal: AbortSignal, deadline: Milliseconds): StepRun {
  let progress = row.progress;
  // One after the other, as each writes the whole of it.
  let turn: Promise<unknown> = Promise.resolve();
  const { id, service } = run.deployment;
  const fence = run.fence;
  const emitting = (type: Parameters<StepRun["event"]>[0], data: Parameters<StepRun["event"]>[1]) =>
    run.event(type, data, row.id);
  return {
    parts: run.parts,
    desk: run.desk,
    deployment: run.deployment,
    id: row.id,
    input: row.input as unknown as StepInput,
    context: { signal, fence, idempotencyKey: `${id}/${row.id}`, attempt: row.attempt + 1, deadline },
    enough: run.enough,
    resumedAt: run.resumedAt,
    holding: run.holding,
    elapsed: new Elapsed(run.parts.clock),
    get progress() {
      return progress;
    },
    release: run.release,
    async record(more, effects: Effects = {}) {
      const { events, touchedTraffic, ...rest } = effects;
      const deployment = { id, ...(touchedTraffic === undefined ? {} : { touchedTraffic }) };
      const written = turn.then(async () => {
        const merged = { ...progress, ...more };
        await run.parts.journal.transition({
          ...rest,
          service,
          fence,
          deployment,
          steps: Object.keys(more).length === 0 ? [] : [{ id: row.id, progress: merged }],
          events: events ?? [],
        });
        // Not before it is on record: a try that failed is made again as a whole.
        progress = merged;
        run.apply(deployment);
      });
      turn = written.catch(() => undefined);
      await written;
    },
    event: emitting,
    emit: (type, data) => run.parts.journal.append(emitting(type, data)),
  };
}
