import type { Milliseconds } from "../model/time.ts";

/**
 * What every act on the outside world gets. A driver observes, ensures, syncs and returns: it may be called again with
 * the same key after a crash, and must then converge without doing anything twice.
 */
export interface ActContext {
  /** Aborts when the act is to end; every wait inside listens to it. */
  readonly signal: AbortSignal;
  /** A driver that can refuse a lower fence does so with `fenced`. */
  readonly fence: number;
  readonly idempotencyKey: string;
  /** 1 on the first try. */
  readonly attempt: number;
  /** By the monotonic clock that the driver was given: a wall clock that jumps ends no call, and lengthens none. */
  readonly deadline: Milliseconds;
}
