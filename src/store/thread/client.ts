import { Worker } from "node:worker_threads";
import { TealError } from "../../model/error.ts";
import { receiveError } from "../../model/sent-error.ts";
import type { Milliseconds } from "../../model/time.ts";
import type { StoreMethod } from "../sync.ts";
import { type AnswerMessage, OPENED, type StoreThreadData } from "./messages.ts";

/** A thread that ends by itself is started again, this often within {@link WINDOW_MS}; then its end is final. */
const RESTARTS = 3;
const WINDOW_MS: Milliseconds = 600_000;

export interface ThreadOptions {
  /** The thread's entry: `store-worker.ts` from source, `store-worker.mjs` as a bundle. */
  readonly workerUrl: URL;
  readonly data: StoreThreadData;
  /** Monotonic milliseconds. */
  readonly monotonic: () => Milliseconds;
  /** Told when the thread ended by itself; `final` when it is not started again. */
  readonly onCrash?: (error: TealError, final: boolean) => void;
}

/** One worker thread, called by messages; started again, within bounds, when it ends by itself. */
export class StoreThread {
  readonly #options: ThreadOptions;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #crashes: Milliseconds[] = [];
  #worker: Worker;
  #opened: Promise<unknown>;
  #nextId = OPENED + 1;
  /** Why no call is taken any more. */
  #ended: TealError | null = null;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#opened = this.#expect(OPENED);
    this.#worker = this.#start();
  }

  /** @throws what opening the store threw */
  async opened(): Promise<void> {
    await this.#opened;
  }

  /** @throws the thread's TealError, or `store-failed` when it ended before it answered: then it may or may not be done */
  async call(method: StoreMethod, values: readonly unknown[]): Promise<unknown> {
    if (this.#ended !== null) throw this.#ended;
    return await this.#post(method, values);
  }

  /** Closes the store after the calls before it, and ends the thread. The same again is harmless. */
  async close(): Promise<void> {
    if (this.#ended !== null) return;
    this.#ended = new TealError("store-failed", "the store is closed");
    try {
      await this.#post("close", []);
    } finally {
      await this.#worker.terminate();
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#options.workerUrl, { workerData: this.#options.data, name: "teal-store" });
    let failure: Error | null = null;
    worker.on("error", (error: Error) => {
      failure = error;
    });
    worker.on("message", (answer: AnswerMessage) => {
      this.#settle(answer);
    });
    worker.on("exit", (code) => {
      this.#exited(code, failure);
    });
    // Whoever calls gets to know why it did not open; nobody may be waiting yet.
    this.#opened.catch(() => undefined);
    return worker;
  }

  async #post(method: StoreMethod, values: readonly unknown[]): Promise<unknown> {
    // After a crash the new thread may still be opening; calls keep their order behind it.
    await this.#opened;
    const id = this.#nextId++;
    const answer = this.#expect(id);
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#worker.postMessage({ id, method, values });
    } catch (cause) {
      // DataCloneError: a value with a function in it, say.
      this.#pending
        .get(id)
        ?.reject(new TealError("internal", `a value of ${method} cannot be sent to the store`, { cause }));
      this.#pending.delete(id);
    }
    return await answer;
  }

  #expect(id: number): Promise<unknown> {
    const resolvers = Promise.withResolvers<unknown>();
    this.#pending.set(id, resolvers);
    return resolvers.promise;
  }

  #settle(answer: AnswerMessage): void {
    const waiting = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ("error" in answer) {
      const error = receiveError(answer.error);
      // A store that does not open is not tried again. Said before the thread's exit, which may follow at once.
      if (answer.id === OPENED) this.#ended ??= error;
      waiting?.reject(error);
    } else waiting?.resolve(answer.value);
  }

  #exited(code: number, cause: Error | null): void {
    const error = new TealError("store-failed", `the store's thread ended with code ${String(code)}`, { cause });
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(error);
    if (this.#ended !== null) return;
    const now = this.#options.monotonic();
    this.#crashes.push(now);
    const final = this.#crashes.filter((at) => now - at < WINDOW_MS).length > RESTARTS;
    if (final) this.#ended = error;
    else {
      this.#opened = this.#expect(OPENED);
      this.#worker = this.#start();
    }
    this.#options.onCrash?.(error, final);
  }
}
