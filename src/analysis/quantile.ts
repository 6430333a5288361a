import type { Milliseconds } from "../model/time.ts";
import { type Bucket, bucketsOf, countOf, type Latencies } from "./latencies.ts";

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
 * The estimate is off by at most the bucket's width, a factor of 1.031, or 1.2 where the finer grid was not told.
 */
export function quantile(latencies: Latencies, q: number): Quantile | null {
  const total = countOf(latencies);
  return total === 0 ? null : atRank(bucketsOf(latencies), Math.min(total, Math.max(1, Math.ceil(q * total))));
}

/** The value of a rank, 1…n; null when there is none. */
function atRank(buckets: readonly Bucket[], rank: number): Quantile | null {
  let below = 0;
  for (const { lower, upper, count } of buckets) {
    if (below + count >= rank) {
      const share = (rank - below) / count;
      return { lower, upper, estimate: Number.isFinite(upper) ? lower + share * (upper - lower) : lower };
    }
    below += count;
  }
  return null;
}
