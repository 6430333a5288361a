import { Worker } from "node:worker_threads";
import { TealError } from "../../model/error.ts";
import { receiveError } from "../../model/sent-error.ts";
import type { Milliseconds } from "../../model/time.ts";
import type { StoreMethod } from "../sync.ts";
import { type AnswerMessage, type CallMessage, OPENED, type StoreThreadData } from "./messages.ts";

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
  /** Calls that are not sent yet. */
  #outbox: CallMessage[] = [];
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
    return await this.#ask(method, values);
  }

  /** Closes the store after the calls before it, and ends the thread. The same again is harmless. */
  async close(): Promise<void> {
    if (this.#ended !== null) return;
    this.#ended = new TealError("store-failed", "the store is closed");
    try {
      await this.#ask("close", []);
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
    worker.on("message", (answers: readonly AnswerMessage[]) => {
      for (const answer of answers) this.#settle(answer);
    });
    worker.on("exit", (code) => {
      this.#exited(code, failure);
    });
    // Whoever calls gets to know why it did not open; nobody may be waiting yet.
    this.#opened.catch(() => undefined);
    return worker;
  }

  async #ask(method: StoreMethod, values: readonly unknown[]): Promise<unknown> {
    // After a crash the new thread may still be opening; calls keep their order behind it.
    await this.#opened;
    const id = this.#nextId++;
    const answer = this.#expect(id);
    this.#send({ id, method, values });
    return await answer;
  }

  /** With all others of this moment: those that an answer, or a message from elsewhere, has set off. */
  #send(call: CallMessage): void {
    this.#outbox.push(call);
    if (this.#outbox.length > 1) return;
    process.nextTick(() => {
      // Whoever asked a thread that has ended meanwhile has been told so.
      const calls = this.#outbox.filter(({ id }) => this.#pending.has(id));
      this.#outbox = [];
      try {
        this.#post(calls);
      } catch {
        // DataCloneError: a value of one of them, with a function in it, say.
        for (const each of calls) this.#sendAlone(each);
      }
    });
  }

  #sendAlone(call: CallMessage): void {
    try {
      this.#post([call]);
    } catch (cause) {
      const problem = new TealError("internal", `a value of ${call.method} cannot be sent to the store`, { cause });
      this.#pending.get(call.id)?.reject(problem);
      this.#pending.delete(call.id);
    }
  }

  #post(calls: readonly CallMessage[]): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    if (calls.length > 0) this.#worker.postMessage(calls);
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
