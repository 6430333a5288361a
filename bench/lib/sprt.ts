import { firstPassage } from "./first-passage.ts";

export interface Sprt {
  /** Mean requests to convict at p1. */
  readonly mean: number;
  /** The odds of ever convicting at p0, exactly. */
  readonly alpha: number;
}

/**
 * Wald's one-sided sequential probability ratio test of p0 against a known p1, with the lowest boundary whose exact odds of
 * a false alarm are at most `alpha`: no test of that α needs fewer requests at p1 (Wald & Wolfowitz 1948). The odds are the
 * mean of 1/ratio where it stops at p1, since P0(stops there) = P1(stops there) / ratio.
 */
export function exactSprt(p0: number, p1: number, alpha: number): Sprt {
  let high = Math.log(1 / alpha);
  let low = high - Math.log(p1 / p0) - 1;
  for (let i = 0; i < 14; i++) {
    const middle = (low + high) / 2;
    if (sprtAt(p0, p1, middle).alpha <= alpha) high = middle;
    else low = middle;
  }
  return sprtAt(p0, p1, high);
}

function sprtAt(p0: number, p1: number, boundary: number): Sprt {
  const failure = Math.log(p1 / p0);
  const success = Math.log1p(-p1) - Math.log1p(-p0);
  const ratio = (requests: number, failures: number): number =>
    failures * failure + (requests === failures ? 0 : (requests - failures) * success);
  const { mean, stops } = firstPassage(p1, (requests, failures) => ratio(requests, failures) >= boundary);
  const alpha = stops.reduce(
    (sum, { requests, failures, mass }) => sum + mass * Math.exp(-ratio(requests, failures)),
    0,
  );
  return { mean, alpha };
}

/** Wald's bound: log(1/α) divided by what one request tells at p1. */
export function waldBound(p0: number, p1: number, alpha: number): number {
  const told = p1 * Math.log(p1 / p0) + (p1 === 1 ? 0 : (1 - p1) * Math.log((1 - p1) / (1 - p0)));
  return Math.log(1 / alpha) / told;
}
