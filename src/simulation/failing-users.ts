import type { Milliseconds } from "../model/time.ts";
import { CLIENT_AGAIN_MS, type TrafficCounters } from "../model/traffic.ts";
import type { Draw } from "./draw.ts";

/** The users who failed on one side, told apart as the proxy does where clients keep to a side. */
export class FailingUsers {
  readonly #draw: Draw;
  /** By user, when a failure was last counted. */
  readonly #countedAt = new Map<number, Milliseconds>();
  #failing = 0;
  #repeats = 0;

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  /** So many failures, evenly over this time. @param among users on this side; null: more than ever come again */
  add(failures: number, among: number | null, [from, to]: readonly [Milliseconds, Milliseconds]): void {
    if (among === null) {
      this.#failing += failures;
      return;
    }
    for (let i = 0; i < failures; i += 1) {
      const at = from + ((to - from) * (i + 0.5)) / failures;
      this.#failed(Math.floor(this.#draw.random() * among), at);
    }
  }

  counters(): NonNullable<TrafficCounters["clients"]> {
    return { failing: this.#failing, repeats: this.#repeats };
  }

  #failed(user: number, at: Milliseconds): void {
    const before = this.#countedAt.get(user);
    if (before !== undefined && at - before < CLIENT_AGAIN_MS) {
      this.#repeats += 1;
      return;
    }
    if (before === undefined) this.#failing += 1;
    this.#countedAt.set(user, at);
  }
}
