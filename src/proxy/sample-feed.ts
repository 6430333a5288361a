import { COUNTER, SERVICE_CELL, total, totalFrom } from "./cells.ts";

/** What is asked of a service to know whether its sample is news. */
export interface Sampled {
  readonly name: string;
  /** Counters of each environment; see cells.ts. */
  readonly counters: ReadonlyMap<string, Float64Array>;
  /** See SERVICE_CELL. */
  readonly cell: Int32Array;
  readonly mode: { readonly number: number } | null;
  readonly switches: number;
  /** Silence may be evidence too: it is then told at every tick. */
  readonly isWatched: boolean;
}

/** Every so many ticks all are told, changed or not: what is not told for long counts as gone. */
const ALL_EVERY = 50;

/** Chooses the services whose samples are sent at a tick, so that thousands of quiet ones cost nearly nothing. */
export class SampleFeed {
  readonly #told = new Map<string, readonly number[]>();
  #tick = 0;
  #listeners = 0;

  /** @param listeners how many there are now: a new one is told everything */
  next<S extends Sampled>(services: Iterable<S>, listeners: number): S[] {
    const all = listeners > this.#listeners || this.#tick % ALL_EVERY === 0;
    this.#listeners = listeners;
    this.#tick += 1;
    return [...services].filter((service) => this.#isNews(service) || all || service.isWatched);
  }

  #isNews({ name, cell, mode, counters, switches }: Sampled): boolean {
    const now = [switches, mode?.number ?? 0, totalFrom(cell, SERVICE_CELL.held)];
    for (const counted of counters.values()) {
      // The histogram changes with the requests only.
      for (let field = 0; field < COUNTER.latency; field += 1) now.push(total(counted, COUNTER.length, field));
    }
    const told = this.#told.get(name);
    this.#told.set(name, now);
    return told?.length !== now.length || now.some((value, index) => value !== told[index]);
  }
}
