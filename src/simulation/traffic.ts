import { NO_TRAFFIC } from "../analysis/counters.ts";
import { FINE_BUCKETS, latencyOf } from "../model/latency.ts";
import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";
import type { TrafficCounters, TrafficSample } from "../model/traffic.ts";
import type { Draw } from "./draw.ts";
import { FailingUsers } from "./failing-users.ts";
import { latencyBuckets } from "./latency.ts";
import type { Scenario } from "./scenario.ts";
import { ACTIVE, CANDIDATE } from "./stages.ts";

/** The proxy's counters of both environments, as requests come at random (a Poisson process). */
export class SimulatedTraffic {
  readonly #scenario: Scenario;
  readonly #draw: Draw;
  readonly #usual: readonly number[];
  readonly #slowed: readonly number[];
  readonly #candidate: Counting;
  readonly #active: Counting;
  #now: Milliseconds = 0;
  /** Requests of the new environment. */
  requests = 0;

  constructor(scenario: Scenario, draw: Draw) {
    this.#scenario = scenario;
    this.#draw = draw;
    this.#candidate = new Counting(scenario.sticky ? new FailingUsers(draw) : null);
    this.#active = new Counting(scenario.sticky ? new FailingUsers(draw) : null);
    this.#usual = latencyBuckets(scenario.medianMs);
    this.#slowed = latencyBuckets(scenario.medianMs * scenario.slow);
  }

  /** What the active environment answered in this time alone: its latencies. */
  before(ms: Milliseconds): TrafficCounters {
    const alone = new Counting(null);
    alone.add(this.#draw, this.#draw.poisson((this.#scenario.rate * ms) / 1_000), 0, this.#usual);
    return alone.counters();
  }

  /** Lets time go on with this share of the requests on the new side; returns how many were hurt there. */
  go(ms: Milliseconds, share: number, isBad: boolean): { readonly failed: number; readonly slowed: number } {
    const { rate, failing, activeFailing, slow, users } = this.#scenario;
    const mean = (rate * ms) / 1_000;
    const ours = this.#draw.poisson(mean * share);
    const failed = this.#candidate.add(
      this.#draw,
      ours,
      isBad ? failing : activeFailing,
      isBad ? this.#slowed : this.#usual,
    );
    const failedThere = this.#active.add(
      this.#draw,
      this.#draw.poisson(mean * (1 - share)),
      activeFailing,
      this.#usual,
    );
    const time = [this.#now, this.#now + ms] as const;
    this.#candidate.tell(failed, users === null ? null : Math.round(users * share), time);
    this.#active.tell(failedThere, users === null ? null : Math.round(users * (1 - share)), time);
    this.#now += ms;
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
  readonly #users: FailingUsers | null;
  readonly #latency = Array.from({ length: FINE_BUCKETS }, () => 0);

  /** @param users null: they are not told apart */
  constructor(users: FailingUsers | null) {
    this.#users = users;
  }

  /** Returns how many failed. */
  add(draw: Draw, requests: number, failing: number, buckets: readonly number[]): number {
    const failed = draw.binomial(requests, failing);
    this.#requests += requests;
    this.#failures += failed;
    draw.spread(requests, buckets, this.#latency);
    return failed;
  }

  tell(failed: number, among: number | null, time: readonly [Milliseconds, Milliseconds]): void {
    this.#users?.add(failed, among, time);
  }

  counters(): TrafficCounters {
    const clients = this.#users === null ? {} : { clients: this.#users.counters() };
    const [requests, failures] = [this.#requests, this.#failures];
    return { ...NO_TRAFFIC, requests, failures, ...clients, ...latencyOf(this.#latency) };
  }
}
