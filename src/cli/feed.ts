import { TealError, toTealError } from "../model/error.ts";
import type { EventAnswer, TealClient } from "../sdk/client.ts";

export type FeedItem =
  | { readonly kind: "event"; readonly event: EventAnswer }
  /** The connection stands, for the first time or anew: what happened while it did not may have been missed. */
  | { readonly kind: "open" }
  | { readonly kind: "lost" };

/**
 * The server's events from the moment that {@link opened} resolves, kept until they are read: so that a person's request
 * can be sent after listening has begun, and none of its events is missed.
 */
export class EventFeed {
  /** @throws `server-down` and the like, when the stream could not be opened */
  readonly opened: Promise<void>;
  readonly #items: FeedItem[] = [];
  #wake = Promise.withResolvers<void>();
  #error: unknown = null;
  #ended = false;

  constructor(client: TealClient, signal: AbortSignal) {
    const opened = Promise.withResolvers<void>();
    this.opened = opened.promise;
    this.opened.catch(() => undefined);
    void this.#pump(client, signal, opened);
  }

  async #pump(client: TealClient, signal: AbortSignal, opened: PromiseWithResolvers<void>): Promise<void> {
    try {
      const events = client.events({
        follow: true,
        signal,
        onOpen: () => {
          this.#put({ kind: "open" });
          opened.resolve();
        },
        onLost: () => {
          this.#put({ kind: "lost" });
        },
      });
      for await (const event of events) this.#put({ kind: "event", event });
      this.#error = new TealError("server-down", "the event stream ended");
    } catch (thrown) {
      this.#error = signal.aborted ? signal.reason : toTealError(thrown);
    }
    this.#ended = true;
    opened.reject(this.#error);
    this.#wake.resolve();
  }

  /** Throws what ended the feed: the signal's reason, or the server being away for too long. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FeedItem, void, undefined> {
    for (;;) {
      for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) yield item;
      if (this.#ended) throw this.#error;
      // Nothing can be put between the look above and this line: both are in one turn.
      await this.#wake.promise;
    }
  }

  #put(item: FeedItem): void {
    this.#items.push(item);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}
