import type { TealEvent } from "../../src/model/event.ts";
import type { TealClient } from "../../src/sdk/client.ts";

/** Longer than any fault keeps the server away. */
const PATIENCE_MS = 120_000;

/** Follows all events as a client does, across restarts of the server: what it was given is to stay. */
export class EventWatch {
  readonly seen: TealEvent[] = [];
  readonly #client: TealClient;
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;

  constructor(client: TealClient) {
    this.#client = client;
    this.#watching = this.#watch();
  }

  /** All that were served until now. @throws when following them has failed */
  async stop(): Promise<readonly TealEvent[]> {
    this.#over.abort();
    await this.#watching;
    return this.seen;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#over;
    try {
      const events = this.#client.events({ after: 0, follow: true, signal, patienceMs: PATIENCE_MS });
      for await (const event of events) this.seen.push({ ...event, step: event.step ?? null });
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }
}
