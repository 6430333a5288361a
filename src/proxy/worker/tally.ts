import { fineBucketOf } from "../../model/latency.ts";
import type { Milliseconds } from "../../model/time.ts";
import { add, COUNTER } from "../cells.ts";
import type { FailingClient } from "./failing-clients.ts";

/**
 * Counts one request for verdicts, once, on the environment that was tried first (DESIGN section 7, "What counts"):
 * whatever later serves it, a failure stays with the first.
 */
export class Tally {
  readonly #counters: Float64Array;
  readonly #failing: () => FailingClient | null;
  #isCounted = false;
  #hasFailed = false;

  /** @param failing notes a failure of its client: which one it is; null: clients are not told apart */
  constructor(counters: Float64Array, failing: () => FailingClient | null) {
    this.#counters = counters;
    this.#failing = failing;
  }

  event(field: "connectFailures" | "retried" | "held"): void {
    add(this.#counters, COUNTER[field]);
  }

  /** Another environment serves it: to the first that is a failure, whatever the client gets. */
  rescued(): void {
    add(this.#counters, COUNTER.rescued);
    this.#hasFailed = true;
  }

  answered(status: number, latencyMs: Milliseconds | null): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    const isFailure = status >= 500 || this.#hasFailed;
    this.#hasFailed = isFailure;
    add(this.#counters, COUNTER.requests);
    if (isFailure) this.#fail();
    add(this.#counters, COUNTER.classes + Math.min(Math.max(Math.floor(status / 100), 1), 5) - 1);
    if (status === 101) add(this.#counters, COUNTER.upgrades);
    if (latencyMs === null) return;
    add(this.#counters, COUNTER.latency + fineBucketOf(latencyMs));
    add(this.#counters, COUNTER.latencySum, latencyMs);
  }

  /** The answer broke off after its head. */
  broken(): void {
    if (!this.#isCounted || this.#hasFailed) return;
    this.#hasFailed = true;
    this.#fail();
  }

  #fail(): void {
    add(this.#counters, COUNTER.failures);
    const client = this.#failing();
    if (client === "first") add(this.#counters, COUNTER.failingClients);
    if (client === "repeat") add(this.#counters, COUNTER.repeats);
  }
}
