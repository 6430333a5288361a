import { NO_TRAFFIC } from "../analysis/counters.ts";
import { FINE_BUCKETS, latencyOf } from "../model/latency.ts";
import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";
import type { TrafficCounters, TrafficSample } from "../model/traffic.ts";
import type { Draw } from "./draw.ts";
import { latencyBuckets } from "./latency.ts";
import type { Scenario } from "./scenario.ts";
import { ACTIVE, CANDIDATE } from "./stages.ts";

/** The proxy's counters of both environments, as requests come at random (a Poisson process). */
export class SimulatedTraffic {
  readonly #scenario: Scenario;
  readonly #draw: Draw;
  readonly #usual: readonly number[];
  readonly #slowed: readonly number[];
  readonly #candidate = new Counting();
  readonly #active = new Counting();
  /** Requests of the new environment. */
  requests = 0;

  constructor(scenario: Scenario, draw: Draw) {
    this.#scenario = scenario;
    this.#draw = draw;
    this.#usual = latencyBuckets(scenario.medianMs);
    this.#slowed = latencyBuckets(scenario.medianMs * scenario.slow);
  }

  /** What the active environment answered in this time alone: its latencies. */
  before(ms: Milliseconds): TrafficCounters {
    const alone = new Counting();
    alone.add(this.#draw, this.#draw.poisson((this.#scenario.rate * ms) / 1_000), 0, this.#usual);
    return alone.counters();
  }

  /** Lets time go on with this share of the requests on the new side; returns how many were hurt there. */
  go(ms: Milliseconds, share: number, isBad: boolean): { readonly failed: number; readonly slowed: number } {
    const { rate, failing, activeFailing, slow } = this.#scenario;
    const mean = (rate * ms) / 1_000;
    const ours = this.#draw.poisson(mean * share);
    const failed = this.#candidate.add(
      this.#draw,
      ours,
      isBad ? failing : activeFailing,
      isBad ? this.#slowed : this.#usual,
    );
    this.#active.add(this.#draw, this.#draw.poisson(mean * (1 - share)), activeFailing, this.#usual);
    this.requests += ours;
    if (!isBad) return { failed: 0, slowed: 0 };
    return { failed, slowed: slow > 1 ? ours - failed : 0 };
  }

  sample(at: EpochMilliseconds): TrafficSample {
    const environments = { [CANDIDATE]: this.#candidate.counters(), [ACTIVE]: this.#active.counters() };
    return { service: "simulated", epoch: "simulated", at, environments };
  }
}

class Counting {
  #requests = 0;
  #failures = 0;
  readonly #latency = Array.from({ length: FINE_BUCKETS }, () => 0);

  /** Returns how many failed. */
  add(draw: Draw, requests: number, failing: number, buckets: readonly number[]): number {
    const failed = draw.binomial(requests, failing);
    this.#requests += requests;
    this.#failures += failed;
    draw.spread(requests, buckets, this.#latency);
    return failed;
  }

  counters(): TrafficCounters {
    return { ...NO_TRAFFIC, requests: this.#requests, failures: this.#failures, ...latencyOf(this.#latency) };
  }
}
