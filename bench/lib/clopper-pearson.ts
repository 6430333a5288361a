/**
 * Lower bound of a probability by `hits` of `n`, missed with a probability of at most `error`: the largest p at which as
 * many hits or more are that rare. Clopper & Pearson, Biometrika 26, 1934. 0 without hits.
 */
export function lowerBound(hits: number, n: number, error: number): number {
  if (hits === 0) return 0;
  let [low, high] = [0, hits / n];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (atLeast(hits, n, middle) <= error) low = middle;
    else high = middle;
  }
  return low;
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
