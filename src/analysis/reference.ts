import type { Milliseconds } from "../model/time.ts";
import { LATENCY_BOUNDS_MS } from "../model/traffic.ts";
import { divergence } from "./common.ts";
import { countOf } from "./quantile.ts";

/** A multiple of another environment's quantile, as what can be counted: so many may take longer than so long. */
export interface Reference {
  readonly ms: Milliseconds;
  /** Share of requests that may take longer. */
  readonly limit: number;
}

/**
 * Turns "at most `factor` times the q-quantile of what made this histogram" into a share that may take longer than a bound
 * of the histogram. With x the first bound that at most 1 - q of it exceed, and b the first that is at least `factor` · x:
 * as many may exceed b as of the other environment exceed x (at the most that these are, missed with a probability of at
 * most `error`), and never fewer than 1 - q. So b is exact on the grid, and few requests raise the share, not the bound.
 * Null when there is too little, or b is beyond the grid.
 */
export function referenceTo(histogram: readonly number[], q: number, factor: number, error: number): Reference | null {
  const n = countOf(histogram);
  const at = LATENCY_BOUNDS_MS.findIndex((bound) => slowerThan(histogram, bound) <= (1 - q) * n);
  const x = LATENCY_BOUNDS_MS[at];
  if (n === 0 || x === undefined) return null;
  // A product that is a bound but for rounding is that bound.
  const ms = LATENCY_BOUNDS_MS.find((bound) => bound >= factor * x * (1 - 1e-9));
  if (ms === undefined) return null;
  return { ms, limit: Math.max(1 - q, coarse(highestShare(slowerThan(histogram, x), n, error))) };
}

/** Shares are rounded up to steps of 2 %, as each other limit has a boundary of its own to be worked out. */
const GRAIN = 1.02;

function coarse(share: number): number {
  return Math.min(1, GRAIN ** Math.ceil(Math.log(share) / Math.log(GRAIN)));
}

/** The most that a probability is, by `hits` of `n`: Chernoff's bound P(share ≤ h) ≤ exp(-n · KL(h, p)), solved for p. */
function highestShare(hits: number, n: number, error: number): number {
  const needed = Math.log(1 / error) / n;
  let [low, high] = [hits / n, 1];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (divergence(hits / n, middle) >= needed) high = middle;
    else low = middle;
  }
  return high;
}

/** How many were slower than `ms`, as far as buckets can tell: those of the bucket that it lies in are taken as not. */
export function slowerThan(histogram: readonly number[], ms: Milliseconds): number {
  return histogram.reduce((sum, count, bucket) => {
    const lower = bucket === 0 ? 0 : (LATENCY_BOUNDS_MS[bucket - 1] ?? Infinity);
    return lower >= ms ? sum + count : sum;
  }, 0);
}
