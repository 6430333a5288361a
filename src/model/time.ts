/** A duration in milliseconds. */
export type Milliseconds = number;

/** A point in time: milliseconds since the Unix epoch, UTC. */
export type EpochMilliseconds = number;

/**
 * Time as the product sees it. Passed in everywhere, so that time-dependent behaviour is tested without sleeping.
 */
export interface Clock {
  /** Wall time; may jump. For what people read and what is stored. */
  now(): EpochMilliseconds;
  /** Monotonic milliseconds since an arbitrary start; never jumps back. For deadlines and measurements. */
  monotonic(): Milliseconds;
  /**
   * Resolves after `ms`.
   * @throws the signal's reason when it aborts first.
   */
  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void>;
}

/** Source of identifiers; passed in so that tests are repeatable. */
export interface Ids {
  /** A new id, unique for all time, of the given kind: `dep_0k3…`. Sorts by time of creation. */
  next(prefix: string): string;
}

/** Uniform random numbers in [0, 1). */
export type Random = () => number;
