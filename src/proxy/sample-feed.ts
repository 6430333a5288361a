import { COUNTER, SERVICE_CELL, takeChanged, total, totalFrom } from "./cells.ts";

/**
 * What is asked of a service to know whether its sample is news. Whoever changes any of it marks that, see `markChanged`;
 * a new service is marked.
 */
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

/** Numbers of a service that are no counters, and of each environment: the histogram changes with the requests only. */
const OWN_FIELDS = 3;
const FIELDS = COUNTER.latency;

/** Chooses the services whose samples are sent at a tick, so that thousands of quiet ones cost nearly nothing. */
export class SampleFeed {
  readonly #told = new Map<string, Float64Array>();
  /** Marked at the last tick: a change may have come too late for that look, and have found its mark raised already. */
  #again = new Set<string>();
  #tick = 0;
  #listeners = 0;

  /** Whoever comes next is new. */
  noListeners(): void {
    this.#listeners = 0;
  }

  /** @param listeners how many there are now: a new one is told everything */
  next<S extends Sampled>(services: Iterable<S>, listeners: number): S[] {
    const all = listeners > this.#listeners;
    let place = this.#tick;
    this.#listeners = listeners;
    this.#tick += 1;
    const before = this.#again;
    this.#again = new Set();
    const news: S[] = [];
    for (const service of services) {
      const isItsTurn = place % ALL_EVERY === 0;
      if (this.#isNews(service, before) || all || isItsTurn || (place % WATCHED_EVERY === 0 && service.isWatched))
        news.push(service);
      place += 1;
    }
    return news;
  }

  /** Runs ten times a second for each service: where nothing happened it reads the mark and nothing else. */
  #isNews(service: Sampled, before: ReadonlySet<string>): boolean {
    const isChanged = takeChanged(service.cell);
    if (!isChanged && (before.size === 0 || !before.has(service.name))) return false;
    if (isChanged) this.#again.add(service.name);
    const size = OWN_FIELDS + service.counters.size * FIELDS;
    const told = this.#told.get(service.name);
    if (told?.length === size) return take(told, service);
    const first = new Float64Array(size);
    this.#told.set(service.name, first);
    take(first, service);
    return true;
  }
}

/** Whether any number was another one. */
function take(numbers: Float64Array, { cell, mode, counters, switches }: Sampled): boolean {
  let isNews = put(numbers, 0, switches);
  isNews = put(numbers, 1, mode?.number ?? 0) || isNews;
  isNews = put(numbers, 2, totalFrom(cell, SERVICE_CELL.held)) || isNews;
  let at = OWN_FIELDS;
  for (const counted of counters.values()) {
    for (let field = 0; field < FIELDS; field += 1) {
      isNews = put(numbers, at, total(counted, COUNTER.length, field)) || isNews;
      at += 1;
    }
  }
  return isNews;
}

/** Whether the number was another one. */
function put(numbers: Float64Array, index: number, value: number): boolean {
  const isOther = numbers[index] !== value;
  numbers[index] = value;
  return isOther;
}
