import { logSum } from "./log-sum.ts";
import type { Count } from "./mixture.ts";

/** The odds of calling a release good that is worse than allowed; a tenth of it for what the active environment fails. */
const PARITY_ALPHA = 0.05;
const REFERENCE_SHARE = 0.1;
/** Shares of the limit that a good release may fail, with what is believed of each. */
const GOOD = [
  { share: 0, log: Math.log(0.6) },
  { share: 0.1, log: Math.log(0.1) },
  { share: 0.3, log: Math.log(0.1) },
  { share: 0.6, log: Math.log(0.1) },
  { share: 0.85, log: Math.log(0.1) },
] as const;
const STEP = 1.3;

/**
 * Whether it is shown that requests fail less often than `limit`, in [0, 1].
 *
 * Assumption: otherwise each fails with a probability of at least `limit`, whatever came before it.
 * Guarantee: then this is ever true with a probability of at most {@link PARITY_ALPHA} (less the share for the active
 * environment), however often it is asked. At a limit of 1 % it takes 370 requests without a failure; 298 are the fewest
 * that any test of 5 % can do with (log 0.05 / log 0.99).
 * Source: as of the mixture above a limit, mirrored.
 */
export function isBelow(limit: number, { requests, failures }: Count): boolean {
  if (requests === 0 || limit <= 0) return false;
  if (limit >= 1) return true;
  const logs = GOOD.filter(({ share }) => share > 0 || failures === 0).map(
    ({ share, log }) =>
      log +
      (failures === 0 ? 0 : failures * Math.log(share)) +
      (requests - failures) * (Math.log1p(-limit * share) - Math.log1p(-limit)),
  );
  return logSum(logs) >= Math.log(1 / (PARITY_ALPHA * (1 - REFERENCE_SHARE)));
}

/**
 * What a failure rate is at least: the largest value that a fixed mixture rejects; 0 when it rejects none. It is above the
 * true rate with a probability of at most a tenth of {@link PARITY_ALPHA}, however often it is asked (Howard et al. 2021).
 */
export function lowestRate({ requests, failures }: Count): number {
  if (failures === 0) return 0;
  const observed = failures / requests;
  const alternatives: number[] = [];
  for (let p = 1; p > 1e-5; p /= STEP) alternatives.push(p);
  const needed = Math.log(alternatives.length / (PARITY_ALPHA * REFERENCE_SHARE));
  const rejected = (rate: number): boolean =>
    logSum(
      alternatives
        .filter((p) => p > rate)
        .map(
          (p) =>
            failures * Math.log(p / rate) +
            (requests === failures ? 0 : (requests - failures) * (Math.log1p(-p) - Math.log1p(-rate))),
        ),
    ) >= needed;
  let [low, high] = [0, observed];
  for (let i = 0; i < 20; i++) {
    const middle = (low + high) / 2;
    if (rejected(middle)) low = middle;
    else high = middle;
  }
  return low;
}
