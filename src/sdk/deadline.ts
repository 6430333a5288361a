import { TealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";

export interface Deadline {
  readonly signal: AbortSignal;
  /** Begins to count anew: for streams, where each byte is a sign of life. */
  extend(): void;
  [Symbol.dispose](): void;
}

// The catalogue's remedy asks the server, and is about a step.
const REMEDY = "`teal doctor` says whether the server hangs; `teal abort --direct` does without it.";

/** Aborts with `deadline-passed` after `ms`, or earlier with the reason of `parent`. */
export function deadline(ms: Milliseconds, what: string, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const message = `${what} took longer than ${String(ms)} ms`;
    controller.abort(new TealError("deadline-passed", message, { remedy: REMEDY }));
  }, ms);
  return {
    signal: parent === undefined ? controller.signal : AbortSignal.any([parent, controller.signal]),
    extend: () => {
      timer.refresh();
    },
    [Symbol.dispose]: () => {
      clearTimeout(timer);
    },
  };
}
