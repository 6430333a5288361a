import { z } from "zod";
import { boundaryOf } from "./boundary.ts";
import { logSum } from "./log-sum.ts";
import { type Count, Mixture } from "./mixture.ts";
import { priorAbove } from "./prior.ts";

/** α of the test that begins with the deployment; the rest is for the one that begins anew with each batch. */
const FROM_THE_START = 0.995;
/** Stands for a wealth of zero, which JSON cannot say as a logarithm. */
const NOTHING = -1e9;

/** To work out a boundary takes some 5 ms; tests are few, by the limits of teal.yaml. */
const MOST_KEPT = 256;
const kept = new Map<string, ExcessTest>();

const count = z.object({ requests: z.number(), failures: z.number() });

/** As it stands in a step's progress. */
export const excessState = z.object({
  /** Where the test begins, in the counts that it is given. */
  from: count,
  /** What it was given last. */
  seen: count,
  /** Batches so far. */
  batches: z.number(),
  /** By atom, the log of what the tests have won that began with each batch. */
  anew: z.array(z.number()),
  /** What it took to convict; null: not convicted. */
  convicted: count.nullable(),
});
export type ExcessState = z.output<typeof excessState>;

/**
 * Whether requests fail more often than a limit: convicts at once when they plainly do, and never forgets.
 *
 * Assumption: within the limit, each request fails with a probability of at most `limit`, whatever came before it.
 * Guarantee: such a release is ever convicted with a probability of at most α, however often and whenever it is looked at,
 * also when batches are as large or small as one likes, provided that their size does not follow from what is in them.
 * Two tests share α. The first begins with the deployment and depends on counts alone. The second is begun anew with each
 * batch, at the price of 1/(j(j+1)) of its α for the j-th, so that an hour of good requests delays nothing when a release
 * turns bad: Σ 1/(j(j+1)) ≤ 1, so that their sum is a supermartingale too.
 * Source: {@link Mixture}, {@link boundaryOf}; Shin, Ramdas & Rinaldo, "E-detectors", 2022, for the sum over beginnings.
 */
export class ExcessTest {
  readonly limit: number;
  readonly alpha: number;
  readonly #mixture: Mixture | null;
  readonly #boundary: number;

  /** A limit of 1 or more is never exceeded. */
  constructor(limit: number, alpha: number) {
    this.limit = limit;
    this.alpha = alpha;
    this.#mixture = limit < 1 ? new Mixture(limit, priorAbove(limit)) : null;
    this.#boundary = this.#mixture === null ? Infinity : boundaryOf(this.#mixture, alpha * FROM_THE_START);
  }

  /** The same test for the same limit and α: it has no state of its own. */
  static of(limit: number, alpha: number): ExcessTest {
    const key = `${String(limit)} ${String(alpha)}`;
    const test = kept.get(key) ?? new ExcessTest(limit, alpha);
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(key, test);
    return test;
  }

  /** Whether the test that begins with the deployment convicts at these counts. */
  convictsFromTheStart(count: Count): boolean {
    return (this.#mixture?.logWealth(count) ?? 0) >= this.#boundary;
  }

  /** What is held against the release, as a share of what convicts: 1 and more convicts, 0 is none. */
  evidence({ from, seen, anew }: ExcessState): number {
    if (this.#mixture === null) return 0;
    const count = { requests: seen.requests - from.requests, failures: seen.failures - from.failures };
    const fromTheStart = this.#mixture.logWealth(count) / this.#boundary;
    return Math.max(0, fromTheStart, logSum(anew) / Math.log(1 / (this.alpha * (1 - FROM_THE_START))));
  }

  /** `from`: what was counted before, which is not judged. */
  begin(from: Count = { requests: 0, failures: 0 }): ExcessState {
    const anew = Array.from({ length: this.#mixture?.size ?? 0 }, () => NOTHING);
    return { from, seen: from, batches: 0, anew, convicted: null };
  }

  /** `total`: all that was counted so far; never less than before, or it adds nothing. */
  next(state: ExcessState, total: Count): ExcessState {
    if (this.#mixture === null || state.convicted !== null) return state;
    const requests = total.requests - state.seen.requests;
    const failures = Math.min(Math.max(0, total.failures - state.seen.failures), requests);
    if (requests <= 0) return state;
    const seen = { requests: total.requests, failures: state.seen.failures + failures };
    const batches = state.batches + 1;
    const anew = this.#anew(this.#mixture, state, batches, { requests, failures });
    const since = { requests: seen.requests - state.from.requests, failures: seen.failures - state.from.failures };
    const convicts =
      this.convictsFromTheStart(since) || logSum(anew) >= Math.log(1 / (this.alpha * (1 - FROM_THE_START)));
    return { ...state, seen, batches, anew, convicted: convicts ? since : null };
  }

  /** Leaves out what came since the last reading. To be decided by something else than what is in it. */
  skip(state: ExcessState, total: Count): ExcessState {
    const requests = Math.max(0, total.requests - state.seen.requests);
    const failures = Math.max(0, total.failures - state.seen.failures);
    const later = ({ requests: n, failures: k }: Count): Count => ({ requests: n + requests, failures: k + failures });
    return { ...state, from: later(state.from), seen: later(state.seen) };
  }

  /** Each atom's share of this beginning is put in before the batch is seen, and then wins or loses with the others. */
  #anew(mixture: Mixture, { anew }: ExcessState, batches: number, batch: Count): number[] {
    const price = Math.log(batches) + Math.log(batches + 1);
    const weights = mixture.weights();
    return mixture
      .factors(batch)
      .map((factor, i) => Math.max(NOTHING, logSum([anew[i] ?? NOTHING, (weights[i] ?? NOTHING) - price]) + factor));
  }
}
