import type { Draw } from "./draw.ts";
import type { Scenario } from "./scenario.ts";

/** The users of one run: who is on the new side, and how many of them have been hurt. */
export class Users {
  readonly #all: number;
  readonly #sticky: boolean;
  readonly #draw: Draw;
  #weight = 0;
  /** Of those who stay on one side, on the new one. */
  #moved = 0;
  hurt = 0;

  constructor({ users, sticky }: Scenario, draw: Draw) {
    this.#all = users ?? 0;
    this.#sticky = sticky && users !== null;
    this.#draw = draw;
  }

  /**
   * Share of the requests that go to the new side at a weight from 0 to 1. Of users who stay on one side it is theirs: each
   * moves at a point of its own, drawn evenly, as the proxy's hash does; with few users it is not the weight.
   */
  shareAt(weight: number): number {
    if (!this.#sticky) return weight;
    if (weight > this.#weight) {
      const p = (weight - this.#weight) / (1 - this.#weight);
      this.#moved += this.#draw.binomial(this.#all - this.#moved, p);
      this.#weight = weight;
    }
    return this.#all === 0 ? 0 : this.#moved / this.#all;
  }

  /** So many requests of users on the new side were failed or slowed. */
  meet(requests: number): void {
    if (this.#all === 0) return;
    this.hurt = this.#draw.distinct(this.hurt, this.#sticky ? this.#moved : this.#all, requests);
  }
}
