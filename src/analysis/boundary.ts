import type { Mixture } from "./mixture.ts";

/** Failures up to which crossings are counted exactly; what may come later is bounded by the wealth that is left. */
const EXACT_FAILURES = 100;
const HALVINGS = 9;

/**
 * The log-wealth at which to convict: as low as keeps the odds of ever reaching it at α. Ville's 1/α is too high by what
 * the last failure adds beyond it.
 *
 * Guarantee: h(n, k) = P(ever convicted | k of n failed), for independent failures at exactly the limit, rises with k and
 * is a martingale for them; so it is a supermartingale for any failures of conditional mean at most the limit, and from
 * h(0, 0) ≤ α follows that those are convicted with a probability of at most α too.
 * Source: Wald 1945 on the excess over the boundary; the recursion is Noé's (Annals of Mathematical Statistics 43, 1972).
 */
export function boundaryOf(mixture: Mixture, alpha: number): number {
  let high = Math.log(1 / alpha);
  let low = high - 3;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (falseAlarmBound(mixture, middle) <= alpha) high = middle;
    else low = middle;
  }
  return high;
}

/** Bound on the probability that independent failures at exactly the limit ever bring the log-wealth to `boundary`. */
export function falseAlarmBound(mixture: Mixture, boundary: number): number {
  const { limit } = mixture;
  // Probability of each number of failures at request `at`, with no conviction yet.
  let alive: Float64Array = Float64Array.of(1);
  let at = 0;
  let latest = 0;
  for (let failures = 1; failures <= EXACT_FAILURES; failures++) {
    latest = latestConvicting(mixture, boundary, failures, latest);
    if (latest < failures) continue;
    // Fewer than this many failures by then, or it was convicted by then: a wealth falls with each success.
    alive = spread(alive, latest - at, limit, failures);
    at = latest;
  }
  const survived = alive.reduce((sum, mass) => sum + mass, 0);
  const later = alive.reduce(
    (sum, mass, failures) =>
      mass === 0 ? sum : sum + mass * Math.exp(mixture.logWealth({ requests: at, failures }) - boundary),
    0,
  );
  return 1 - survived + later;
}

/** The most requests among which `failures` convict; 0: they never do. `least`: what is known to be enough for one less. */
function latestConvicting(mixture: Mixture, boundary: number, failures: number, least: number): number {
  const convicts = (requests: number): boolean => mixture.logWealth({ requests, failures }) >= boundary;
  if (!convicts(failures)) return 0;
  let low = Math.max(failures, least);
  let high = low + 1;
  while (convicts(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (convicts(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Adds Binomial(`requests`, `p`) to a number of failures, and keeps what stays below `below`. */
function spread(mass: Float64Array, requests: number, p: number, below: number): Float64Array {
  const added = new Float64Array(Math.min(requests, below) + 1);
  let log = requests * Math.log1p(-p);
  for (let y = 0; y < added.length; y++) {
    added[y] = Math.exp(log);
    log += Math.log(((requests - y) / (y + 1)) * (p / (1 - p)));
  }
  const next = new Float64Array(below);
  for (let failures = 0; failures < mass.length; failures++) {
    const share = mass[failures] ?? 0;
    if (share === 0) continue;
    const most = Math.min(added.length, below - failures);
    for (let y = 0; y < most; y++) next[failures + y] = (next[failures + y] ?? 0) + share * (added[y] ?? 0);
  }
  return next;
}
