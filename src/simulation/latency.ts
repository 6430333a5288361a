import { FINE_BOUNDS_MS } from "../model/latency.ts";
import type { Milliseconds } from "../model/time.ts";

/** Spread of the logarithm: the p95 is 2.3 times the median, as of many a web service. */
const SIGMA = 0.5;

/** Probability of each fine bucket for lognormal latencies of this median. */
export function latencyBuckets(medianMs: Milliseconds): readonly number[] {
  const below = FINE_BOUNDS_MS.map((bound) => normalBelow(Math.log(bound / medianMs) / SIGMA));
  return [...below, 1].map((upTo, bucket) => {
    const p = upTo - (bucket === 0 ? 0 : (below[bucket - 1] ?? 0));
    return p < 1e-9 ? 0 : p;
  });
}

/** Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: exact to 1e-7. */
function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (poly * Math.exp(-x * x)) / 2;
  return z < 0 ? tail : 1 - tail;
}
