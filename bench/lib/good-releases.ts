import { NO_TRAFFIC } from "../../src/analysis/counters.ts";
import { evaluate } from "../../src/analysis/guardrails.ts";
import { Trial } from "../../src/analysis/trial.ts";
import type { GuardrailSpec } from "../../src/model/guardrail.ts";
import { FINE_BUCKETS, fineBucketOf, latencyOf } from "../../src/model/latency.ts";
import type { Random } from "../../src/model/time.ts";
import type { TrafficCounters } from "../../src/model/traffic.ts";

/** What teal.yaml has unless told. */
export const DEFAULT_GUARDRAILS: GuardrailSpec = {
  minRequests: 1,
  alpha: 0.001,
  errorRate: { warn: 0.03, rollBack: 0.05 },
  worseThanActive: "rollBack",
  latency: { p50: { warn: { factor: 1.5 } }, p95: { warn: { ms: 1_000 }, rollBack: { factor: 2 } } },
};

/** Requests of each batch, both environments together. */
const BATCH = 100;
/** Share of the new environment, batch by batch: the weights change under way. */
const SHARES = [...Array<number>(8).fill(0.1), ...Array<number>(8).fill(0.5), ...Array<number>(8).fill(1)];
/** A fixed-horizon test's boundary at α = 0.001: the normal quantile of 0.999. */
const Z = 3.0902;
const LEAST_FOR_NORMAL = 30;

interface Rates {
  readonly ours: number;
  readonly theirs: number;
}

interface Kind {
  readonly rates: (batch: number, random: Random, lastFailed: boolean) => Rates;
  /** Latencies of the active environment, and those that are just allowed to the new one. */
  readonly latencies: (random: Random) => { readonly theirs: number; readonly ours: number };
}

/** Median 10 ms, σ 0.5; and twice that. */
const [NORMAL, TWICE] = [lognormalBuckets(10), lognormalBuckets(20)];
const smooth: Kind["latencies"] = (random) => ({ theirs: NORMAL(random), ours: TWICE(random) });
/** Hardly enough of the active one's for a p95 of 50 ms; nearly all of the new one's just below twice that. */
const stepped: Kind["latencies"] = (random) => ({
  theirs: fineBucketOf(random() < 0.0501 ? 50 : 10),
  ours: fineBucketOf(random() < 0.0499 ? 1_000 : 99),
});

/** All of them exactly at what is allowed, by every rule at once: no good release is harder to tell from a bad one. */
const KINDS: readonly Kind[] = [
  // Steady.
  { rates: () => ({ ours: 0.05, theirs: 0.02 }), latencies: smooth },
  // Bursts that both have.
  {
    rates: (batch) => (batch % 6 < 2 ? { ours: 0.05, theirs: 0.02 } : { ours: 0.01, theirs: 0 }),
    latencies: stepped,
  },
  // A failure brings others after it, with a conditional mean within the limit.
  {
    rates: (_batch, _random, lastFailed) => (lastFailed ? { ours: 0.05, theirs: 0.02 } : { ours: 0.03, theirs: 0.01 }),
    latencies: smooth,
  },
];

export interface GoodReleases {
  readonly releases: number;
  readonly rolledBack: number;
  /** Of the same requests, by a fixed-horizon test of the error rate with the same α, looked at after each batch. */
  readonly byFixedHorizon: number;
}

/** Judges simulated releases that are within their limits, from the first request to the end of the bake. */
export function goodReleases(releases: number, random: Random): GoodReleases {
  let rolledBack = 0;
  let byFixedHorizon = 0;
  for (let release = 0; release < releases; release++) {
    const outcome = judge(KINDS[release % KINDS.length], random);
    if (outcome.rolledBack) rolledBack += 1;
    if (outcome.byFixedHorizon) byFixedHorizon += 1;
  }
  return { releases, rolledBack, byFixedHorizon };
}

function judge(kind: Kind | undefined, random: Random) {
  if (kind === undefined) throw new RangeError("there is none");
  const green = new Counting();
  const blue = new Counting();
  let trial = Trial.begin(DEFAULT_GUARDRAILS);
  let lastFailed = false;
  let byFixedHorizon = false;
  const look = (batch: number): boolean => {
    const subjects = { candidate: "green", baseline: SHARES[batch] === 1 ? null : "blue" };
    const environments = { green: green.counters(), blue: blue.counters() };
    trial = trial.add({ service: "web", epoch: "bench", at: batch * 500, environments }, subjects);
    // Without a conviction there is nothing to roll back for: this spares the words.
    const charged = trial.charges.some((charge) => trial.accused(charge).test.convicted !== null);
    if (!charged && (trial.active?.convicted ?? null) === null) return false;
    return evaluate(trial, subjects).some(({ outcome }) => outcome === "rollBack");
  };
  look(0);
  for (const [batch, share] of SHARES.entries()) {
    for (let i = 0; i < BATCH; i++) {
      const isGreen = random() < share;
      const rates = kind.rates(batch, random, lastFailed);
      const { ours, theirs } = kind.latencies(random);
      lastFailed = random() < (isGreen ? rates.ours : rates.theirs);
      (isGreen ? green : blue).add(lastFailed, isGreen ? ours : theirs);
    }
    byFixedHorizon ||= green.exceeds(0.05);
    if (look(batch)) return { rolledBack: true, byFixedHorizon };
  }
  return { rolledBack: false, byFixedHorizon };
}

/** Drawn by their inverse distribution, in 10,000 parts. */
function lognormalBuckets(median: number): (random: Random) => number {
  const parts = Array.from({ length: 10_000 }, (_, i) =>
    fineBucketOf(median * Math.exp(0.5 * normalQuantile((i + 0.5) / 10_000))),
  );
  return (random) => parts[Math.floor(random() * parts.length)] ?? 0;
}

/** By halving the error function's Abramowitz and Stegun approximation 7.1.26, which is exact to 1e-7. */
function normalQuantile(p: number): number {
  let [low, high] = [-8, 8];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < p) low = middle;
    else high = middle;
  }
  return low;
}

function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (poly * Math.exp(-x * x)) / 2;
  return z < 0 ? tail : 1 - tail;
}

class Counting {
  #requests = 0;
  #failures = 0;
  readonly #latency = new Float64Array(FINE_BUCKETS);

  add(failed: boolean, bucket: number): void {
    this.#requests += 1;
    if (failed) this.#failures += 1;
    this.#latency[bucket] = (this.#latency[bucket] ?? 0) + 1;
  }

  exceeds(limit: number): boolean {
    const n = this.#requests;
    return n >= LEAST_FOR_NORMAL && this.#failures - n * limit > Z * Math.sqrt(n * limit * (1 - limit));
  }

  counters(): TrafficCounters {
    return { ...NO_TRAFFIC, requests: this.#requests, failures: this.#failures, ...latencyOf(this.#latency) };
  }
}
