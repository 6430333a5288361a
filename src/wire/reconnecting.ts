import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import { TealError, toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { connectPeer } from "./connect.ts";
import { deadlineSignal } from "./deadline.ts";
import type { CallOptions, Handlers, Peer } from "./peer.ts";
import type { CallName, Notice, NoticeName, Params, Protocol, Result } from "./protocol.ts";

/** First wait between two tries; doubles up to {@link LONGEST_WAIT_MS}. */
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;
const CONNECT_TIMEOUT_MS = 5_000;

export interface ReconnectingOptions<P extends Protocol> {
  /** Where to connect; a function is asked at every try, and answers null while there is nothing to connect to. */
  readonly path: string | (() => string | null);
  readonly protocol: P;
  /** Code of the error when nobody answers. */
  readonly down: "server-down" | "keeper-down" | "data-plane-down";
  readonly clock?: Pick<Clock, "sleep">;
  /** After each successful connect, before waiting calls go out. */
  readonly onConnect?: (peer: Peer<P>) => void;
  /** After each end of a connection that was made. */
  readonly onDisconnect?: () => void;
}

/**
 * Keeps one connection to a control socket, and makes it anew with backoff when it ends. A call that the end of the
 * connection cut is not repeated: its error has the code `down`, and the caller knows whether to ask again.
 */
export class ReconnectingPeer<P extends Protocol> {
  readonly #options: ReconnectingOptions<P>;
  readonly #ended = new AbortController();
  readonly #registrations: ((peer: Peer<P>) => void)[] = [];
  readonly #listeners: ((peer: Peer<P>) => void)[] = [];
  #peer: Peer<P> | null = null;
  #next = Promise.withResolvers<Peer<P>>();
  #lastError: TealError | null = null;
  #kick = new AbortController();

  /** Begins to connect at once. {@link close} it, as it keeps the process alive. */
  constructor(options: ReconnectingOptions<P>) {
    this.#options = options;
    this.#next.promise.catch(() => undefined);
    void this.#run();
  }

  get connected(): boolean {
    return this.#peer !== null;
  }

  /**
   * As {@link Peer.call}; waits for a connection first, within the same timeout.
   * @throws `down` of the options when there is none in time or it ended meanwhile, `protocol-mismatch`, and what the other side throws
   */
  async call<M extends CallName<P>>(method: M, params: Params<P, M>, options: CallOptions = {}): Promise<Result<P, M>> {
    options.signal?.throwIfAborted();
    const timeoutMs = options.timeoutMs ?? 10_000;
    const until = performance.now() + timeoutMs;
    const current = this.#peer?.isOver === true ? null : this.#peer;
    const peer = current ?? (await this.#connection(method, timeoutMs, options.signal));
    const timeLeftMs = Math.max(1, until - performance.now());
    try {
      return await peer.call(method, params, { ...options, timeoutMs: timeLeftMs });
    } catch (thrown) {
      // The end of the connection and the failure of its calls come in the same turn of the event loop.
      await turn();
      if (this.#peer === peer || options.signal?.aborted === true) throw thrown;
      const error = toTealError(thrown);
      throw error.code === "internal" ? this.#downError(`the connection ended during ${method}`, error) : error;
    }
  }

  /** Survives reconnects. Register before the first `await`, so that nothing is missed. */
  onNotice<N extends NoticeName<P>>(notice: N, listener: (params: Notice<P, N>) => void): void {
    const register = (peer: Peer<P>): void => {
      peer.onNotice(notice, listener);
    };
    this.#registrations.push(register);
    if (this.#peer !== null) register(this.#peer);
  }

  /** Answers a call of the other end. Survives reconnects; register before the first `await`. */
  onCall<M extends CallName<P>>(method: M, handler: Handlers<P>[M]): void {
    const register = (peer: Peer<P>): void => {
      peer.onCall(method, handler);
    };
    this.#registrations.push(register);
    if (this.#peer !== null) register(this.#peer);
  }

  /** Calls back after each successful connect; at once when there is a connection already. */
  onConnected(listener: (peer: Peer<P>) => void): void {
    this.#listeners.push(listener);
    if (this.#peer !== null) listener(this.#peer);
  }

  /** Ends the connection; waiting calls fail with `down`. */
  close(): void {
    if (this.#ended.signal.aborted) return;
    const error = this.#downError("this end has closed the connection", null);
    this.#ended.abort(error);
    this.#next.reject(error);
    this.#peer?.close();
  }

  async #connection(method: string, timeoutMs: Milliseconds, signal: AbortSignal | undefined): Promise<Peer<P>> {
    this.#ended.signal.throwIfAborted();
    this.#kick.abort();
    using deadline = deadlineSignal(timeoutMs, `connecting for ${method}`, signal);
    const gaveUp = Promise.withResolvers<never>();
    const onAbort = (): void => {
      gaveUp.reject(
        signal?.aborted === true
          ? toTealError(signal.reason)
          : this.#downError(`no connection for ${method}`, this.#lastError),
      );
    };
    deadline.signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([this.#next.promise, gaveUp.promise]);
    } finally {
      deadline.signal.removeEventListener("abort", onAbort);
    }
  }

  async #run(): Promise<void> {
    let waitMs = FIRST_WAIT_MS;
    while (!this.#ended.signal.aborted) {
      const peer = await this.#connect();
      if (peer === null) {
        await this.#pause(waitMs);
        waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
        continue;
      }
      waitMs = FIRST_WAIT_MS;
      this.#begin(peer);
      await peer.closed;
      this.#peer = null;
      if (!this.#ended.signal.aborted) this.#options.onDisconnect?.();
    }
  }

  async #connect(): Promise<Peer<P> | null> {
    const { path, protocol, down } = this.#options;
    const at = typeof path === "string" ? path : path();
    if (at === null) return null;
    try {
      return await connectPeer(at, protocol, {
        down,
        timeoutMs: CONNECT_TIMEOUT_MS,
        signal: this.#ended.signal,
        prepare: (peer) => {
          for (const register of this.#registrations) register(peer);
        },
      });
    } catch (thrown) {
      this.#lastError = toTealError(thrown);
      if (this.#lastError.code === "protocol-mismatch") this.#renewNext().reject(this.#lastError);
      return null;
    }
  }

  #begin(peer: Peer<P>): void {
    if (this.#ended.signal.aborted) {
      peer.close();
      return;
    }
    this.#peer = peer;
    this.#lastError = null;
    this.#options.onConnect?.(peer);
    this.#renewNext().resolve(peer);
    for (const listener of this.#listeners) listener(peer);
  }

  /** Hands out the promise that callers wait for, and puts a fresh one in its place. */
  #renewNext(): PromiseWithResolvers<Peer<P>> {
    const current = this.#next;
    this.#next = Promise.withResolvers<Peer<P>>();
    this.#next.promise.catch(() => undefined);
    return current;
  }

  /** Waits, but no longer than until somebody calls. */
  async #pause(ms: Milliseconds): Promise<void> {
    this.#kick = new AbortController();
    const signal = AbortSignal.any([this.#ended.signal, this.#kick.signal]);
    const clock = this.#options.clock ?? {
      sleep: (time: Milliseconds, stop?: AbortSignal) => wait(time, undefined, { signal: stop }),
    };
    try {
      // The shortest wait is never cut short, so that many callers cannot make this a busy loop.
      await clock.sleep(FIRST_WAIT_MS, this.#ended.signal);
      if (ms > FIRST_WAIT_MS) await clock.sleep(ms - FIRST_WAIT_MS, signal);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }

  #downError(what: string, cause: TealError | null): TealError {
    const why = cause === null ? what : `${what}: ${cause.message}`;
    return new TealError(this.#options.down, why, cause === null ? {} : { cause });
  }
}
