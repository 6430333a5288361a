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
  /** Silence may be evidence too: it is told twice a second then. */
  readonly isWatched: boolean;
}

/**
 * In so many ticks of 100 ms each is told, changed or not: what is not told for long counts as gone. They take turns, as
 * thousands in the same tick would keep both ends from everything else meanwhile.
 */
const ALL_EVERY = 50;
/** In so many, each that is watched. */
const WATCHED_EVERY = 5;

/** Fields of a service that are no counters, and of each environment: the histogram changes with the requests only. */
const OWN_FIELDS = 3;
const FIELDS = COUNTER.latency;

/** Chooses the services whose samples are sent at a tick, so that thousands of quiet ones cost nearly nothing. */
export class SampleFeed {
  readonly #told = new Map<string, Float64Array>();
  #tick = 0;
  #listeners = 0;

  /** @param listeners how many there are now: a new one is told everything */
  next<S extends Sampled>(services: Iterable<S>, listeners: number): S[] {
    const all = listeners > this.#listeners;
    let place = this.#tick;
    this.#listeners = listeners;
    this.#tick += 1;
    const news: S[] = [];
    for (const service of services) {
      const isItsTurn = place % ALL_EVERY === 0;
      if (this.#isNews(service) || all || isItsTurn || (place % WATCHED_EVERY === 0 && service.isWatched))
        news.push(service);
      place += 1;
    }
    return news;
  }

  /** Runs ten times a second for each service: it makes no garbage. */
  #isNews({ name, cell, mode, counters, switches }: Sampled): boolean {
    const size = OWN_FIELDS + counters.size * FIELDS;
    let told = this.#told.get(name);
    let isNews = told?.length !== size;
    if (told === undefined || isNews) {
      told = new Float64Array(size);
      this.#told.set(name, told);
    }
    isNews = put(told, 0, switches) || isNews;
    isNews = put(told, 1, mode?.number ?? 0) || isNews;
    isNews = put(told, 2, totalFrom(cell, SERVICE_CELL.held)) || isNews;
    let at = OWN_FIELDS;
    for (const counted of counters.values()) {
      for (let field = 0; field < FIELDS; field += 1) {
        isNews = put(told, at, total(counted, COUNTER.length, field)) || isNews;
        at += 1;
      }
    }
    return isNews;
  }
}

/** Whether the number was another one. */
function put(numbers: Float64Array, index: number, value: number): boolean {
  const isOther = numbers[index] !== value;
  numbers[index] = value;
  return isOther;
}
