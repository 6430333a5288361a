/**
 * Ranks between which the true q-quantile lies, each missed with a probability of at most {@link ERROR}, whatever the
 * distribution is. Null: n values cannot bound it on that side.
 */
export interface RankBounds {
  readonly lower: number | null;
  readonly upper: number | null;
}

/** One-sided, at one look; a rule that is looked at again and again errs more often than this. */
const ERROR = 0.001;
/** Standard normal quantile of 1 - {@link ERROR}. */
const Z = 3.0902;
/** From this variance on, the normal approximation of the binomial is exact to a rank. */
const MUCH = 100;

/**
 * Order statistics as distribution-free confidence bounds: of n values, those beyond the quantile are Binomial(n, 1 - q)
 * in number. David & Nagaraja, Order Statistics, 3rd ed. 2003, section 7.1.
 */
export function rankBounds(n: number, q: number): RankBounds {
  const beyond = tails(n, 1 - q);
  return {
    lower: beyond.atMost >= n ? null : n - beyond.atMost,
    upper: beyond.atLeast === 0 ? null : n - beyond.atLeast + 1,
  };
}

/** For Y ~ Binomial(n, p): smallest `atMost` with P(Y > atMost) ≤ ERROR, largest `atLeast` with P(Y < atLeast) ≤ ERROR. */
function tails(n: number, p: number): { readonly atMost: number; readonly atLeast: number } {
  const mean = n * p;
  const variance = mean * (1 - p);
  if (variance > MUCH) {
    const spread = Z * Math.sqrt(variance);
    return { atMost: Math.ceil(mean + spread), atLeast: Math.floor(mean - spread) };
  }
  let mass = (1 - p) ** n;
  let cumulative = mass;
  let atLeast = 0;
  let y = 0;
  while (y < n && 1 - cumulative > ERROR) {
    y += 1;
    if (cumulative <= ERROR) atLeast = y;
    mass *= ((n - y + 1) / y) * (p / (1 - p));
    cumulative += mass;
  }
  return { atMost: y, atLeast };
}
