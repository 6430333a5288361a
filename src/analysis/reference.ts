import type { Milliseconds } from "../model/time.ts";
import { LATENCY_BOUNDS_MS } from "../model/traffic.ts";
import { atRank, countOf } from "./quantile.ts";

/**
 * The most that the q-quantile of what made this histogram is, missed with a probability of at most `error`, at one look
 * and for any distribution; null when there is too little. Within a bucket values are taken as evenly spread.
 *
 * Rank r of n exceeds the quantile unless fewer than n - r + 1 values do; Chernoff's bound of that is
 * exp(-n · KL(r/n, q)).
 */
export function highestQuantile(histogram: readonly number[], q: number, error: number): Milliseconds | null {
  const n = countOf(histogram);
  const needed = Math.log(1 / error);
  let low = Math.ceil(q * n);
  let high = n + 1;
  // The value of rank r fails to exceed the quantile when at least r values are at or below it.
  const isSafe = (rank: number): boolean => rank > q * n && n * divergence(rank / n, q) >= needed;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isSafe(middle)) high = middle;
    else low = middle;
  }
  return high > n ? null : (atRank(histogram, high)?.estimate ?? null);
}

function divergence(p: number, q: number): number {
  return p * Math.log(p / q) + (p === 1 ? 0 : (1 - p) * Math.log((1 - p) / (1 - q)));
}

/** How many were slower than `ms`, as far as buckets can tell: those of the bucket that it lies in are taken as not. */
export function slowerThan(histogram: readonly number[], ms: Milliseconds): number {
  return histogram.reduce((sum, count, bucket) => {
    const lower = bucket === 0 ? 0 : (LATENCY_BOUNDS_MS[bucket - 1] ?? Infinity);
    return lower >= ms ? sum + count : sum;
  }, 0);
}
