import type { Count } from "./mixture.ts";

/** So few requests of the active environment are no evidence of a cause that is common to both. */
const LEAST_REQUESTS = 20;
/** Odds of 1 in 1,000 that it is chance, in one span. */
const CONVINCING = Math.log(1_000);

/** Whether the active environment plainly exceeds the same limit in any of the last seconds' spans (Chernoff's bound). */
export function isCommon(limit: number, spans: readonly Count[]): boolean {
  return spans.some(({ requests, failures }) => {
    if (requests < LEAST_REQUESTS) return false;
    const share = failures / requests;
    return share > limit && requests * divergence(share, limit) >= CONVINCING;
  });
}

/** Kullback and Leibler's, of two probabilities, in nats. */
export function divergence(p: number, q: number): number {
  return (p === 0 ? 0 : p * Math.log(p / q)) + (p === 1 ? 0 : (1 - p) * Math.log((1 - p) / (1 - q)));
}
