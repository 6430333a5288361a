import type { Milliseconds } from "../../model/time.ts";
import { SERVICE_CELL, totalFrom } from "../cells.ts";
import { REFUSAL, type Refusal } from "../http/refusal.ts";
import type { WorkerService } from "./tables.ts";

/** Requests that one service may hold, over all workers. */
const HELD_AT_MOST = 1_000;
/** Longest wait for an instance to become ready. */
const NO_INSTANCE_MS = 5_000;
/** Longest wait while a person or the engine holds the service. */
const HOLD_MS = 30_000;

export interface Waiting<T> {
  readonly since: Milliseconds;
  /** What becomes of it now; null: nothing yet, wait on. */
  readonly attempt: () => T | Refusal | null;
  readonly isAbandoned: () => boolean;
  readonly resolve: (result: T | Refusal) => void;
}

/** Requests of one service that wait in this worker, let go in the order in which they came. */
export class HoldQueue<T> {
  readonly #service: WorkerService;
  readonly #heldAt: number;
  #waiting: Waiting<T>[] = [];

  constructor(service: WorkerService, index: number) {
    this.#service = service;
    this.#heldAt = SERVICE_CELL.held + index;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** False when the service holds as many as it may. */
  add(entry: Waiting<T>): boolean {
    if (totalFrom(this.#service.cell, SERVICE_CELL.held) >= HELD_AT_MOST) return false;
    this.#waiting.push(entry);
    this.#publish();
    return true;
  }

  /** Lets go, in order, of those whose time is over and those that can be served, up to the first that cannot. */
  release(now: Milliseconds): void {
    const longest = this.#service.isHeld ? HOLD_MS : NO_INSTANCE_MS;
    let gone = 0;
    for (const entry of this.#waiting) {
      const result = this.#resultOf(entry, now - entry.since >= longest);
      if (result === null) break;
      entry.resolve(result);
      gone += 1;
    }
    if (gone === 0) return;
    this.#waiting = this.#waiting.slice(gone);
    this.#publish();
  }

  #resultOf(entry: Waiting<T>, isOver: boolean): T | Refusal | null {
    if (entry.isAbandoned()) return REFUSAL["no-instance"];
    const served = this.#service.isHeld ? null : entry.attempt();
    return served ?? (isOver ? REFUSAL["no-instance"] : null);
  }

  #publish(): void {
    Atomics.store(this.#service.cell, this.#heldAt, this.#waiting.length);
  }
}
