import { TealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";

/** A signal that aborts with `deadline-passed` after `ms`, or earlier with the reason of `parent`. */
export function deadlineSignal(
  ms: Milliseconds,
  what: string,
  parent?: AbortSignal,
): { readonly signal: AbortSignal; readonly [Symbol.dispose]: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new TealError("deadline-passed", `${what} took longer than ${String(ms)} ms`));
  }, ms);
  const signal = parent === undefined ? controller.signal : AbortSignal.any([parent, controller.signal]);
  return {
    signal,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
    },
  };
}
