/**
 * Exact bounds of a probability by `hits` of `n`, each missed with a probability of at most `error`. Clopper & Pearson,
 * Biometrika 26, 1934. The lower one is the largest p at which as many hits or more are that rare; 0 without hits.
 */
export function lowerBound(hits: number, n: number, error: number): number {
  if (hits === 0) return 0;
  return bisect(0, hits / n, (p) => atLeast(hits, n, p) <= error);
}

/** The smallest p at which as few hits are that rare; 1 where all are hits. */
export function upperBound(hits: number, n: number, error: number): number {
  if (hits >= n) return 1;
  return bisect(hits / n, 1, (p) => 1 - atLeast(hits + 1, n, p) > error);
}

/** P(Binomial(n, p) ≥ hits). */
export function atLeast(hits: number, n: number, p: number): number {
  let log = n * Math.log1p(-p);
  let below = 0;
  for (let y = 0; y < hits; y++) {
    below += Math.exp(log);
    log += Math.log(((n - y) / (y + 1)) * (p / (1 - p)));
  }
  return Math.max(0, 1 - below);
}

/** Where `isBelow` ends to hold. */
function bisect(least: number, most: number, isBelow: (p: number) => boolean): number {
  let [low, high] = [least, most];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (isBelow(middle)) low = middle;
    else high = middle;
  }
  return low;
}
