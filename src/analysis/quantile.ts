import { LATENCY_BOUNDS_MS } from "../model/traffic.ts";
import type { Milliseconds } from "../model/time.ts";

export interface Quantile {
  /** The nearest-rank quantile lies in (lower, upper]. */
  readonly lower: Milliseconds;
  /** Infinity in the bucket beyond the last bound. */
  readonly upper: Milliseconds;
  /** Between them by the rank's place within the bucket, linearly; `lower` when there is no upper bound. */
  readonly estimate: Milliseconds;
}

/**
 * The q-quantile (0 < q ≤ 1) of a latency histogram by nearest rank: the value of rank ⌈q·n⌉. Null when it is empty.
 * The estimate is off by at most the bucket's width, a factor of 1.2.
 */
export function quantile(histogram: readonly number[], q: number): Quantile | null {
  const total = countOf(histogram);
  return total === 0 ? null : atRank(histogram, Math.min(total, Math.max(1, Math.ceil(q * total))));
}

/** The value of a rank, 1…n; null when there is none. */
function atRank(histogram: readonly number[], rank: number): Quantile | null {
  let below = 0;
  for (const [index, count] of histogram.entries()) {
    if (rank >= 1 && below + count >= rank) return within(index, (rank - below) / count);
    below += count;
  }
  return null;
}

function within(bucket: number, share: number): Quantile {
  const lower = bucket === 0 ? 0 : (LATENCY_BOUNDS_MS[bucket - 1] ?? 0);
  const upper = LATENCY_BOUNDS_MS[bucket] ?? Number.POSITIVE_INFINITY;
  return { lower, upper, estimate: Number.isFinite(upper) ? lower + share * (upper - lower) : lower };
}

/** Index of the bucket that a latency falls into. */
export function bucketOf(ms: Milliseconds): number {
  const index = LATENCY_BOUNDS_MS.findIndex((bound) => ms <= bound);
  return index === -1 ? LATENCY_BOUNDS_MS.length : index;
}

export function countOf(histogram: readonly number[]): number {
  return histogram.reduce((sum, count) => sum + count, 0);
}
