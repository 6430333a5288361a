import { TealError } from "../model/error.ts";
import type { DriftChoice, Hold } from "../model/hold.ts";

/** A person's word that a deployment is to go on. */
export interface ResumeOrder {
  readonly by: string;
  readonly reason: string | null;
  /** For a hold of drift. */
  readonly drift: DriftChoice | null;
}

/** An order, and the answer to who gave it. */
interface Asked {
  readonly order: ResumeOrder;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Where a deployment holds, and what a person says to that. The part that holds looks here for orders: it alone knows what
 * going on means, and writes it down.
 */
export class Holding {
  #now: Hold | null = null;
  #asked: Asked | null = null;
  #woken = Promise.withResolvers<void>();

  get now(): Hold | null {
    return this.#now;
  }

  /** Resolves when an order comes, or the deployment is being ended. Never rejects. */
  get woken(): Promise<void> {
    return this.#woken.promise;
  }

  /** Says what holds; null: nothing does any more, and an order that was too late is answered so. */
  set(hold: Hold | null): void {
    this.#now = hold;
    // Said several times a second of each deployment, and hardly ever does anybody wait for it.
    if (hold === null && this.#asked !== null) this.refuse(new TealError("nothing-to-resume", "it goes on by itself"));
  }

  /** Whoever waits for an order is to look for another reason to go on: the deployment is being ended. */
  wake(): void {
    this.#woken.resolve();
  }

  /** Gives an order, and returns when it is recorded. @throws `nothing-to-resume`, and why it cannot go on */
  async resume(order: ResumeOrder): Promise<void> {
    if (this.#now === null) throw new TealError("nothing-to-resume", "the deployment does not hold");
    if (this.#asked !== null) {
      await this.#asked.done.promise;
      return;
    }
    const done = Promise.withResolvers<void>();
    this.#asked = { order, done };
    this.#woken.resolve();
    await done.promise;
  }

  /** The order that waits, if any. It stays until it is {@link obeyed} or {@link refuse}d. */
  get order(): ResumeOrder | null {
    return this.#asked?.order ?? null;
  }

  /** It is recorded: the deployment goes on. */
  obeyed(): void {
    this.#take()?.done.resolve();
    this.#now = null;
  }

  /** It cannot go on, for this reason. */
  refuse(problem: TealError): void {
    this.#take()?.done.reject(problem);
  }

  #take(): Asked | null {
    const asked = this.#asked;
    this.#asked = null;
    if (asked !== null) this.#woken = Promise.withResolvers();
    return asked;
  }
}
