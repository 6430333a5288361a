import { Ledger } from "./ledger.ts";
import { type Load, LoadGenerator } from "./load-generator.ts";
import { PipelinedLoad } from "./pipelined-load.ts";
import { WebSocketLoad } from "./websocket-load.ts";

/** Longest that any of them may run, and longer than any of them does. */
const MOST_MS = 300_000;
const TIMEOUT_MS = 10_000;

/** All that clients do at once, in one ledger: single requests of every framing, pipelined ones, and WebSockets. */
export class MixedLoad implements Load {
  readonly ledger = new Ledger();
  readonly #loads: readonly Load[];

  /** @param rate single requests a second */
  constructor(url: string, rate: number) {
    const { ledger } = this;
    const single = new LoadGenerator({ url, rate, ledger, mostMs: MOST_MS });
    single.start();
    this.#loads = [
      single,
      new PipelinedLoad({ url, ledger, connections: 2, depth: 4, pauseMs: 50, timeoutMs: TIMEOUT_MS }),
      new WebSocketLoad({ url, ledger, kept: 4, renewed: 4, livesMs: 1_000, pauseMs: 50, timeoutMs: TIMEOUT_MS }),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loads.map((load) => load.stop()));
  }
}
