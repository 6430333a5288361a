import type { ToWorker } from "./messages.ts";

type PublishMessage = Extract<ToWorker, { kind: "publish" }>;

interface Pending {
  readonly message: PublishMessage;
  /** Workers that have not acknowledged it. */
  readonly missing: Set<number>;
  readonly resolve: () => void;
}

/** One that is open. */
interface Publication {
  /** For all that live. */
  readonly message: PublishMessage;
  /** Resolves when every worker that lives has acknowledged it. */
  readonly known: Promise<void>;
  /** Nobody waits for it any more. */
  readonly close: () => void;
}

/** What workers are learning at the moment, and which of them have not acknowledged it. */
export class Publications {
  readonly #pending = new Map<number, Pending>();
  #count = 0;

  /** `workers`: those that live. Without any it is known at once. */
  open(what: Omit<PublishMessage, "kind" | "number">, workers: Iterable<number>): Publication {
    this.#count += 1;
    const number = this.#count;
    const message: PublishMessage = { kind: "publish", number, ...what };
    const { promise, resolve } = Promise.withResolvers<void>();
    const missing = new Set(workers);
    this.#pending.set(number, { message, missing, resolve });
    if (missing.size === 0) resolve();
    const close = (): void => {
      this.#pending.delete(number);
    };
    return { message, known: promise, close };
  }

  acknowledged(worker: number, number: number): void {
    const pending = this.#pending.get(number);
    if (pending === undefined) return;
    pending.missing.delete(worker);
    if (pending.missing.size === 0) pending.resolve();
  }

  /** A worker starts: it has to be told these first, in this order, and is waited for as the others are. */
  joined(worker: number): readonly PublishMessage[] {
    for (const { missing } of this.#pending.values()) missing.add(worker);
    return [...this.#pending.values()].map(({ message }) => message);
  }

  /** A worker has ended: it is waited for no more. */
  left(worker: number): void {
    for (const number of this.#pending.keys()) this.acknowledged(worker, number);
  }
}
