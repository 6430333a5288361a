import { fineBucketOf } from "../../model/latency.ts";
import type { Milliseconds } from "../../model/time.ts";
import { add, COUNTER, markChanged } from "../cells.ts";
import type { FailingClient } from "./failing-clients.ts";

/**
 * Counts one request for verdicts, once, on the environment that was tried first (DESIGN section 7, "What counts"):
 * whatever later serves it, a failure stays with the first.
 */
export class Tally {
  readonly #counters: Float64Array;
  readonly #service: Int32Array;
  readonly #failing: () => FailingClient | null;
  #isCounted = false;
  #hasFailed = false;

  /**
   * @param service see SERVICE_CELL
   * @param failing notes a failure of its client: which one it is; null: clients are not told apart
   */
  constructor(counters: Float64Array, service: Int32Array, failing: () => FailingClient | null) {
    this.#counters = counters;
    this.#service = service;
    this.#failing = failing;
  }

  event(field: "connectFailures" | "retried" | "held"): void {
    add(this.#counters, COUNTER[field]);
    markChanged(this.#service);
  }

  /** Another environment serves it: to the first that is a failure, whatever the client gets. */
  rescued(): void {
    add(this.#counters, COUNTER.rescued);
    this.#hasFailed = true;
    markChanged(this.#service);
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
    if (latencyMs !== null) {
      add(this.#counters, COUNTER.latency + fineBucketOf(latencyMs));
      add(this.#counters, COUNTER.latencySum, latencyMs);
    }
    markChanged(this.#service);
  }

  /** The answer broke off after its head. */
  broken(): void {
    if (!this.#isCounted || this.#hasFailed) return;
    this.#hasFailed = true;
    this.#fail();
    markChanged(this.#service);
  }

  #fail(): void {
    add(this.#counters, COUNTER.failures);
    const client = this.#failing();
    if (client === "first") add(this.#counters, COUNTER.failingClients);
    if (client === "repeat") add(this.#counters, COUNTER.repeats);
  }
}
