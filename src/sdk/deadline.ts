import { TealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";

export interface Deadline {
  readonly signal: AbortSignal;
  /** Begins to count anew: for streams, where each byte is a sign of life. */
  extend(): void;
  [Symbol.dispose](): void;
}

/** Aborts with `deadline-passed` after `ms`, or earlier with the reason of `parent`. */
export function deadline(ms: Milliseconds, what: string, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new TealError("deadline-passed", `${what} took longer than ${String(ms)} ms`));
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
