import type { HealthSpec } from "../model/service.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { checkHealth } from "../wire/health-check.ts";
import { INSTANCE_CELL } from "./cells.ts";
import type { PublishedInstance } from "./messages.ts";

/** A check that ends so long after its time says more about this process; the next one is made at once, and counts. */
const LATE_MS: Milliseconds = 250;

type Cell = PublishedInstance["cell"];

/** An instance, and how its release says that it is checked. */
export interface CheckedInstance {
  readonly instance: PublishedInstance;
  readonly spec: HealthSpec;
}

type Turn = "healthy" | "unhealthy";

interface Watched {
  readonly spec: string;
  readonly stop: AbortController;
}

/** Checks every instance of every table, with weight or without, for as long as it is in one. */
export class HealthChecks {
  readonly #clock: Clock;
  readonly #onTurn: (turn: Turn, service: string, instance: PublishedInstance) => void;
  readonly #watched = new Map<string, Map<Cell, Watched>>();

  constructor(clock: Clock, onTurn: (turn: Turn, service: string, instance: PublishedInstance) => void) {
    this.#clock = clock;
    this.#onTurn = onTurn;
  }

  /** Watches exactly these instances of the service from now on; a check that goes on as it was is left alone. */
  watch(service: string, instances: readonly CheckedInstance[]): void {
    const before = this.#watched.get(service) ?? new Map<Cell, Watched>();
    const after = new Map<Cell, Watched>();
    for (const { instance, spec } of instances) {
      const key = JSON.stringify(spec);
      const known = before.get(instance.cell);
      after.set(instance.cell, known?.spec === key ? known : this.#begin(service, instance, spec, key));
    }
    for (const [cell, watched] of before) if (after.get(cell) !== watched) watched.stop.abort();
    this.#watched.set(service, after);
  }

  close(): void {
    for (const service of this.#watched.values()) for (const { stop } of service.values()) stop.abort();
    this.#watched.clear();
  }

  #begin(service: string, instance: PublishedInstance, spec: HealthSpec, key: string): Watched {
    const stop = new AbortController();
    void this.#run(service, instance, spec, stop.signal);
    return { spec: key, stop };
  }

  async #run(service: string, instance: PublishedInstance, spec: HealthSpec, signal: AbortSignal): Promise<void> {
    const verdict = new HealthVerdict(instance.cell, spec);
    let wasLate = false;
    while (!signal.aborted) {
      const begun = this.#clock.monotonic();
      // Refused, reset, too late: all the same to the verdict.
      const isGood = (await checkHealth(instance, spec, signal)).kind === "good";
      if (signal.aborted) return;
      // The timer of a process that stood still itself is first on its wake, before an answer that came in time is read.
      const isLate = !isGood && this.#clock.monotonic() - begun > spec.timeoutMs + LATE_MS;
      const isExcused = isLate && !wasLate;
      wasLate = isLate;
      if (isExcused) continue;
      const turn = verdict.note(isGood);
      if (turn !== null) this.#onTurn(turn, service, instance);
      // Aborted: the loop ends.
      await this.#clock.sleep(spec.intervalMs, signal).catch(() => undefined);
    }
  }
}

/** Turns consecutive answers into healthy or not, in the memory that the workers read. */
export class HealthVerdict {
  readonly #cell: Cell;
  readonly #spec: Pick<HealthSpec, "healthyAfter" | "unhealthyAfter">;
  #goodOnes = 0;
  #badOnes = 0;
  /** Made unhealthy by checks, so that `healthyAfter` good ones are needed; by refused connects alone, one is. */
  #isDown = false;

  constructor(cell: Cell, spec: Pick<HealthSpec, "healthyAfter" | "unhealthyAfter">) {
    this.#cell = cell;
    this.#spec = spec;
  }

  /** What the instance has just become; null: it stays what it was. */
  note(isGood: boolean): Turn | null {
    this.#goodOnes = isGood ? this.#goodOnes + 1 : 0;
    this.#badOnes = isGood ? 0 : this.#badOnes + 1;
    if (this.#badOnes >= this.#spec.unhealthyAfter) {
      this.#isDown = true;
      return Atomics.exchange(this.#cell, INSTANCE_CELL.healthy, 0) === 1 ? "unhealthy" : null;
    }
    if (!isGood || this.#goodOnes < (this.#isDown ? this.#spec.healthyAfter : 1)) return null;
    this.#isDown = false;
    Atomics.store(this.#cell, INSTANCE_CELL.refused, 0);
    return Atomics.exchange(this.#cell, INSTANCE_CELL.healthy, 1) === 0 ? "healthy" : null;
  }
}
