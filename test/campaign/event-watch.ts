import type { TealEvent } from "../../src/model/event.ts";
import type { TealClient } from "../../src/sdk/client.ts";
import { isCalled } from "./strike.ts";

/** Longer than any fault keeps the server away. */
const PATIENCE_MS = 120_000;

interface Waiting {
  readonly step: string;
  readonly isWanted: (deployment: string) => boolean;
  readonly came: () => void;
}

/**
 * Follows all events as a client does, across restarts of the server: what it was given is to stay. It hears of a step
 * about a millisecond after its beginning: asking over and over finds short ones only when they are over.
 */
export class EventWatch {
  readonly seen: TealEvent[] = [];
  readonly #client: TealClient;
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;
  #waiting: readonly Waiting[] = [];

  constructor(client: TealClient) {
    this.#client = client;
    this.#watching = this.#watch();
  }

  /** The next time that such a step begins, in a deployment that is wanted: after a restart older ones may be heard of. */
  next(step: string, isWanted: (deployment: string) => boolean): Promise<void> {
    return new Promise((came) => {
      this.#waiting = [...this.#waiting, { step, isWanted, came }];
    });
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
      for await (const event of events) {
        this.seen.push({ ...event, step: event.step ?? null });
        if (event.type === "step-started") this.#tell(event.step ?? "", event.deployment ?? "");
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
  }
  #tell(step: string, deployment: string): void {
    const isMeant = (one: Waiting): boolean => isCalled(step, one.step) && one.isWanted(deployment);
    const meant = this.#waiting.filter(isMeant);
    this.#waiting = this.#waiting.filter((one) => !isMeant(one));
    for (const { came } of meant) came();
  }
}
