import { randomBytes } from "node:crypto";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/model/time.ts";
import { classify } from "./classify.ts";
import { Sender } from "./exchange.ts";
import { Ledger, type Summary } from "./ledger.ts";
import type { Outcome } from "./outcome.ts";
import { draw, MIXED, type RequestKind, type RequestWish } from "./wish.ts";

export interface LoadOptions {
  /** Where the proxy (or an app) listens: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Requests per second; due whether or not earlier ones have been answered (open loop). */
  readonly rate: number;
  /** Kept connections at most; 32 unless told. */
  readonly connections?: number;
  /** For one whole exchange; 30 s unless told. */
  readonly timeoutMs?: number;
  /** Bounds: the load ends by itself at the first one reached. */
  readonly mostRequests?: number;
  readonly mostMs?: number;
  readonly kinds?: readonly RequestKind[];
  /** To share one with other loads; its own unless told. */
  readonly ledger?: Ledger;
  readonly random?: Random;
  /** Ends the load at once; what is in flight is then cancelled, not lost. */
  readonly signal?: AbortSignal;
  /** Told of each outcome as it comes. */
  readonly onOutcome?: (outcome: Outcome, wish: RequestWish) => void;
}

/** Something that sends and keeps a ledger of it. */
export interface Load {
  readonly ledger: Ledger;
  /** Sends nothing more and waits for what is in flight. */
  stop(): Promise<unknown>;
}

/** Requests are sent in batches of this grain. */
const TICK_MS = 5;

/** An open-loop load with a ledger. One use: {@link start}, then {@link stop}. */
export class LoadGenerator implements Load {
  readonly ledger: Ledger;
  readonly #options: LoadOptions;
  readonly #agent: Agent;
  readonly #sender: Sender;
  readonly #stopping = new AbortController();
  readonly #run = randomBytes(4).toString("hex");
  readonly #inFlight = new Set<Promise<void>>();
  readonly #random: Random;
  #pacing: Promise<void> | null = null;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.ledger = options.ledger ?? new Ledger();
    this.#random = options.random ?? Math.random;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections ?? 32, scheduling: "fifo" });
    const signal = options.signal ?? new AbortController().signal;
    this.#sender = new Sender({
      agent: this.#agent,
      target: new URL(options.url),
      timeoutMs: options.timeoutMs ?? 30_000,
      signal,
    });
  }

  start(): void {
    this.#pacing ??= this.#pace();
  }

  async stop(): Promise<Summary> {
    this.#stopping.abort();
    return await this.finished();
  }

  /** Waits for the load's own bound. */
  async finished(): Promise<Summary> {
    await this.#pacing;
    await Promise.all(this.#inFlight);
    this.#agent.destroy();
    return this.ledger.summary();
  }

  async #pace(): Promise<void> {
    const { rate, mostRequests = Number.POSITIVE_INFINITY, mostMs = Number.POSITIVE_INFINITY, signal } = this.#options;
    const ended = signal === undefined ? this.#stopping.signal : AbortSignal.any([signal, this.#stopping.signal]);
    const began = performance.now();
    for (let sent = 0; !ended.aborted && sent < mostRequests && performance.now() - began < mostMs;) {
      const due = Math.min(mostRequests, Math.floor(((performance.now() - began) * rate) / 1_000) + 1);
      for (; sent < due; sent++) this.#issue(sent, began + (sent * 1_000) / rate);
      // An abort is looked at by the loop's own condition.
      await sleep(TICK_MS, undefined, { signal: ended }).catch(() => undefined);
    }
  }

  #issue(serial: number, dueAt: number): void {
    const kind = draw(this.#options.kinds ?? MIXED, this.#random);
    const wish = kind.make(`${this.#run}-${String(serial)}`, this.#random);
    const sending = this.#sender.send(wish).then(({ exchange, connection }) => {
      const outcome = classify(wish, exchange);
      this.ledger.record(wish, outcome, performance.now() - dueAt, connection);
      this.#options.onOutcome?.(outcome, wish);
      this.#inFlight.delete(sending);
    });
    this.#inFlight.add(sending);
  }
}
