import type { Milliseconds } from "../../model/time.ts";
import { markChanged, SERVICE_CELL, totalFrom } from "../cells.ts";
import { REFUSAL, type Refusal } from "../http/refusal.ts";
import type { ServiceMode, Standing } from "./service-mode.ts";
import type { WorkerService } from "./tables.ts";

/** Requests that may wait for an instance of one service, over all workers. */
const WAITING_AT_MOST = 1_000;
/** Longest wait for an instance to become ready. */
const NO_INSTANCE_MS: Milliseconds = 5_000;

export interface Waiting<T> {
  readonly since: Milliseconds;
  readonly standing: Standing;
  /** What becomes of it now; null: nothing yet, wait on. */
  readonly attempt: () => T | Refusal | null;
  readonly isAbandoned: () => boolean;
  readonly resolve: (result: T | Refusal) => void;
}

interface Entry<T> extends Waiting<T> {
  /** The hold that it came in, or came to be in; null: it waits for an instance alone. */
  heldBy: ServiceMode | null;
  /** Since when it waits for an instance; a hold does not count. */
  freeSince: Milliseconds;
}

/** Requests of one service that wait in this worker, let go in the order in which they came. */
export class HoldQueue<T> {
  readonly #service: Pick<WorkerService, "cell" | "mode">;
  readonly #heldAt: number;
  #waiting: Entry<T>[] = [];

  constructor(service: Pick<WorkerService, "cell" | "mode">, index: number) {
    this.#service = service;
    this.#heldAt = SERVICE_CELL.held + index;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The refusal when as many wait as may; null: it is in. */
  add(waiting: Waiting<T>): Refusal | null {
    const hold = this.#holdOf(waiting);
    const isFull = totalFrom(this.#service.cell, SERVICE_CELL.held) >= (hold?.most ?? WAITING_AT_MOST);
    hold?.count("held");
    if (isFull) {
      hold?.count("timedOut");
      return hold?.full ?? REFUSAL["hold-full"];
    }
    this.#waiting.push({ ...waiting, heldBy: hold, freeSince: waiting.since });
    this.#publish();
    return null;
  }

  /**
   * Lets go, in order, of those whose time is over and those that can be served, up to the first that cannot. Clients
   * that have gone, and those that a hold lets through, wait for nobody.
   */
  release(now: Milliseconds): void {
    if (this.isEmpty) return;
    const before = this.#waiting;
    const left: Entry<T>[] = [];
    let isBlocked = false;
    for (const entry of before) {
      const mayGo = !isBlocked || entry.isAbandoned() || entry.standing.passes;
      const result = mayGo ? this.#resultOf(entry, now) : null;
      if (result !== null) entry.resolve(result);
      else {
        left.push(entry);
        isBlocked ||= !entry.standing.passes;
      }
    }
    if (left.length === before.length) return;
    this.#waiting = left;
    this.#publish();
  }

  /** So much of the time until `now` was no chance for an instance to become ready; who came in between has lost less. */
  excuse(ms: Milliseconds, now: Milliseconds): void {
    for (const entry of this.#waiting) entry.freeSince = Math.min(now, entry.freeSince + ms);
  }

  #resultOf(entry: Entry<T>, now: Milliseconds): T | Refusal | null {
    if (entry.isAbandoned()) return REFUSAL["no-instance"];
    const { mode } = this.#service;
    if (mode?.kind === "on" && !entry.standing.passes) return mode.answerTo(entry.standing);
    const hold = this.#holdOf(entry);
    if (hold !== null) return this.#held(entry, hold, now);
    const served = entry.attempt();
    if (served !== null) entry.heldBy?.count("released");
    return served ?? (now - entry.freeSince >= NO_INSTANCE_MS ? REFUSAL["no-instance"] : null);
  }

  #held(entry: Entry<T>, hold: ServiceMode, now: Milliseconds): Refusal | null {
    if (entry.heldBy === null) hold.count("held");
    entry.heldBy = hold;
    entry.freeSince = now;
    if (now - entry.since < hold.deadlineMs) return null;
    hold.count("timedOut");
    return hold.late;
  }

  #holdOf({ standing }: Waiting<T>): ServiceMode | null {
    const { mode } = this.#service;
    return mode?.kind === "hold" && !standing.passes ? mode : null;
  }

  #publish(): void {
    Atomics.store(this.#service.cell, this.#heldAt, this.#waiting.length);
    markChanged(this.#service.cell);
  }
}
