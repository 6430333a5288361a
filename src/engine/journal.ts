import { TealError, toTealError } from "../model/error.ts";
import type { EventType, NewEvent, TealEvent } from "../model/event.ts";
import type { Clock } from "../model/time.ts";
import type { Store, Transition } from "../store/store.ts";
import type { Hub } from "./hub.ts";

/** Writes transitions and events, and tells the hub what was written. */
export class Journal {
  readonly #store: Store;
  readonly #hub: Hub;
  readonly #clock: Clock;

  constructor(store: Store, hub: Hub, clock: Clock) {
    this.#store = store;
    this.#hub = hub;
    this.#clock = clock;
  }

  event(
    type: EventType,
    data: NewEvent["data"],
    about: { service?: string; deployment?: string; step?: string } = {},
  ): NewEvent {
    return {
      at: this.#clock.now(),
      service: about.service ?? null,
      deployment: about.deployment ?? null,
      type,
      step: about.step ?? null,
      data,
    };
  }

  async transition(change: Omit<Transition, "at">): Promise<void> {
    this.#tell(await this.#store.transition({ ...change, at: this.#clock.now() }));
  }

  async append(...events: readonly NewEvent[]): Promise<void> {
    this.#tell(await this.#store.append(events));
  }

  /** Tells of events that the store wrote on another way. */
  told(events: readonly TealEvent[]): void {
    this.#tell(events);
  }

  /**
   * Writes what has already happened at the data plane, and tries until it can: a full disk delays the record, never the
   * rollback. Ends early when a newer controller has claimed the service, or the signal aborts.
   */
  async transitionUntilWritten(change: Omit<Transition, "at">, signal: AbortSignal): Promise<void> {
    for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 2_000)) {
      try {
        await this.transition(change);
        return;
      } catch (thrown) {
        const problem = toTealError(thrown);
        if (problem.code !== "store-failed") throw problem;
        await this.#clock.sleep(waitMs, signal);
      }
    }
  }

  /** Every event after `after`, and on as they come when `follow`. */
  async *read(after: number, follow: boolean, signal: AbortSignal): AsyncGenerator<TealEvent, void, void> {
    let seen = after;
    while (!signal.aborted) {
      // Listens before it reads, so that nothing written in between is missed.
      const cursor = seen;
      const waiting = new AbortController();
      const more = this.#hub.next("event", (event) => event.seq > cursor, AbortSignal.any([signal, waiting.signal]));
      more.catch(() => undefined);
      try {
        const page = await this.#store.events(seen, 500);
        for (const event of page) {
          seen = event.seq;
          yield event;
        }
        if (page.length > 0) continue;
        if (!follow) return;
        await more;
      } catch (thrown) {
        if (signal.aborted) return;
        throw thrown;
      } finally {
        // Also when the reader goes away in the middle of a page.
        waiting.abort(new TealError("aborted", "the reader reads on, or not at all"));
      }
    }
  }

  #tell(events: readonly TealEvent[]): void {
    for (const event of events) this.#hub.publish("event", event);
  }
}
