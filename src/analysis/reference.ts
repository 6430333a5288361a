import type { Milliseconds } from "../model/time.ts";
import { divergence } from "./common.ts";
import { boundsOf, countOf, type Latencies, slowerThan } from "./latencies.ts";

/**
 * A bound of the histogram that is at least `factor` times the q-quantile of what made it, but for a probability of at most
 * `error`, if one request's latency says nothing of another's. With x the first bound that so few exceed that the quantile
 * is not above it, it is the first that is at least `factor` · x: so few requests make it generous, and too few null, as
 * does a bound beyond the grid.
 * Source: the binomial confidence limit of a quantile (Clopper & Pearson 1934).
 */
export function referenceTo(latencies: Latencies, q: number, factor: number, error: number): Milliseconds | null {
  const x = quantileAtMost(latencies, q, error);
  if (x === null) return null;
  // A product that is a bound but for rounding is that bound.
  return boundsOf(latencies).find((bound) => bound >= factor * x * (1 - 1e-9)) ?? null;
}

/** The first bound that the quantile is not above, but for `error`. The higher a bound, the fewer exceed it. */
function quantileAtMost(latencies: Latencies, q: number, error: number): Milliseconds | null {
  const n = countOf(latencies);
  const bounds = boundsOf(latencies);
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (atMost(slowerThan(latencies, bounds[middle] ?? Infinity), n, 1 - q) <= error) high = middle;
    else low = middle + 1;
  }
  return bounds[low] ?? null;
}

/**
 * The most that P(Binomial(n, p) ≤ k) is, within a few percent below the mean, and 1 from there on: the probability of k,
 * and of all below it as of a geometric series.
 * Source: the probability of k by Stirling's formula with its error bounds (Robbins 1955).
 */
export function atMost(k: number, n: number, p: number): number {
  if (k === 0) return (1 - p) ** n;
  const ratio = (k * (1 - p)) / ((n - k + 1) * p);
  if (ratio >= 1) return 1;
  const ofStirling = 1 / (12 * n) - 1 / (12 * k + 1) - 1 / (12 * (n - k) + 1);
  const ofK = Math.sqrt(n / (2 * Math.PI * k * (n - k))) * Math.exp(ofStirling - n * divergence(k / n, p));
  return Math.min(1, ofK / (1 - ratio));
}
