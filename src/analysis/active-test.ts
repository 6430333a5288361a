import { z } from "zod";
import { logSum } from "./log-sum.ts";
import type { Count } from "./mixture.ts";

/** A release may fail this many times as often as the active environment… */
export const FACTOR = 2;
/** …and this share of its requests beyond that. */
export const MARGIN = 0.01;

/** Bets, as shares of the highest that the active environment's failures can pay for. */
const BETS = [0.03, 0.1, 0.3, 0.6, 0.9] as const;
/** No bet wins more than this for one failure. */
const MOST = 99;
/** So many of the active environment's requests, and one of the new one's, are judged together. */
const LEAST = 10;

const count = z.object({ requests: z.number(), failures: z.number() });

/** As it stands in a step's progress. */
export const activeState = z.object({
  candidate: count,
  baseline: count,
  /** By bet, the log of what it has won. */
  won: z.array(z.number()),
  /** Requests of the new environment that it took to convict; null: not convicted. */
  convicted: z.number().nullable(),
});
export type ActiveState = z.output<typeof activeState>;

/** Requests of both environments in the same time. */
export interface Pair {
  readonly candidate: Count;
  readonly baseline: Count;
}

/**
 * Whether the new environment fails more often than {@link FACTOR} times the active one, and {@link MARGIN} beyond.
 *
 * Assumption: in each batch the new environment's requests fail with a probability p' ≤ 2p + 0.01, the active one's with p;
 * p may be anything and change with each batch, as may the split. Which environment a request goes to says nothing of it.
 * Guarantee: such a release is ever convicted with a probability of at most α, however often it is looked at. An outage
 * common to both convicts nobody, whatever the split is when it comes. (The null is a little wider than
 * max(2p, p + 0.01), so the guarantee holds for that as well.)
 * How: with n' and n requests in a batch, a bet that multiplies by 1 + g with each failure of the new environment, by
 * 1 - 2gn'/n with each of the active one, and by exp(-0.01gn') in all, has a mean of at most
 * exp(n'p'g - 2gn'p - 0.01gn') ≤ 1. So the mean of several is a supermartingale, and Ville's inequality holds.
 * Source: Lindon & Malek, "Anytime-valid inference for multinomial count data", 2022, and Turner, Ly & Grünwald,
 * "Generic E-variables for exact sequential k-sample tests", 2024, for the setting.
 */
export class ActiveTest {
  readonly alpha: number;

  constructor(alpha: number) {
    this.alpha = alpha;
  }

  begin({ candidate, baseline }: Pair): ActiveState {
    return { candidate, baseline, won: BETS.map(() => 0), convicted: null };
  }

  /** Leaves out what came since the last batch, as when it was not counted of both over the same time. */
  skip(state: ActiveState, { candidate, baseline }: Pair): ActiveState {
    return { ...state, candidate, baseline };
  }

  /** What is held against the release, as a share of what convicts: 1 and more convicts, 0 is none. */
  evidence({ won }: ActiveState): number {
    return Math.max(0, (logSum(won) - Math.log(BETS.length)) / Math.log(1 / this.alpha));
  }

  /** `total`: all that was counted so far. */
  next(state: ActiveState, total: Pair): ActiveState {
    if (state.convicted !== null) return state;
    const ours = between(state.candidate, total.candidate);
    const theirs = between(state.baseline, total.baseline);
    if (ours.requests < 1 || theirs.requests < LEAST) return state;
    const won = BETS.map((bet, index) => (state.won[index] ?? 0) + winning(bet, ours, theirs));
    const convicts = logSum(won) - Math.log(BETS.length) >= Math.log(1 / this.alpha);
    return { ...total, won, convicted: convicts ? total.candidate.requests : null };
  }
}

function winning(bet: number, ours: Count, theirs: Count): number {
  const price = (FACTOR * ours.requests) / theirs.requests;
  const gain = Math.min(MOST, bet / price);
  return ours.failures * Math.log1p(gain) + theirs.failures * Math.log1p(-gain * price) - MARGIN * gain * ours.requests;
}

function between(before: Count, now: Count): Count {
  const requests = Math.max(0, now.requests - before.requests);
  return { requests, failures: Math.min(requests, Math.max(0, now.failures - before.failures)) };
}
