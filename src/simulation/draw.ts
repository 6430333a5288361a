import { randomBinomial, randomPoisson } from "d3-random";
import type { Random } from "../model/time.ts";

/** Of many requests the counts are drawn bucket by bucket instead of request by request. */
const FEW = 32;

/** Draws of one stream. */
export class Draw {
  readonly random: Random;
  readonly #binomial: typeof randomBinomial;
  readonly #poisson: typeof randomPoisson;

  constructor(random: Random) {
    this.random = random;
    this.#binomial = randomBinomial.source(random);
    this.#poisson = randomPoisson.source(random);
  }

  /** How many of `n` happen that each happen with probability `p`. */
  binomial(n: number, p: number): number {
    if (n <= 0 || p <= 0) return 0;
    if (p >= 1) return n;
    if (n > FEW) return this.#binomial(n, p)();
    let hits = 0;
    for (let i = 0; i < n; i++) if (this.random() < p) hits += 1;
    return hits;
  }

  poisson(mean: number): number {
    return mean <= 0 ? 0 : this.#poisson(mean)();
  }

  /** Adds `n` draws to a histogram. `probabilities` sum to 1. */
  spread(n: number, probabilities: readonly number[], histogram: number[]): void {
    if (n <= FEW) {
      for (let i = 0; i < n; i++) this.#one(probabilities, histogram);
      return;
    }
    let [left, rest] = [n, 1];
    for (const [bucket, p] of probabilities.entries()) {
      if (left === 0) return;
      if (p === 0) continue;
      const hits = this.binomial(left, Math.min(1, p / rest));
      histogram[bucket] = (histogram[bucket] ?? 0) + hits;
      left -= hits;
      rest -= p;
    }
  }

  /** How many of `among` have been met when `met` had been, and `draws` more are drawn, each of all alike. */
  distinct(met: number, among: number, draws: number): number {
    let now = met;
    for (let i = 0; i < draws && now < among; i++) if (this.random() >= now / among) now += 1;
    return now;
  }

  #one(probabilities: readonly number[], histogram: number[]): void {
    let left = this.random();
    for (const [bucket, p] of probabilities.entries()) {
      left -= p;
      if (p === 0 || left > 0) continue;
      histogram[bucket] = (histogram[bucket] ?? 0) + 1;
      return;
    }
  }
}
