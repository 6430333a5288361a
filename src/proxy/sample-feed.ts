import { COUNTER, SERVICE_CELL, takeChanged, total, totalFrom } from "./cells.ts";

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

/** Numbers of a service that are no counters, and of each environment: the histogram changes with the requests only. */
const SWITCHES = 0;
const MODE = 1;
const HELD = 2;
const OWN_FIELDS = 3;
const FIELDS = COUNTER.latency;

/** What was last told of a service. */
interface Told {
  readonly numbers: Float64Array;
  /** A change was marked at the last tick: one may have come too late for that look, and found its mark raised already. */
  looksAgain: boolean;
}

/** Chooses the services whose samples are sent at a tick, so that thousands of quiet ones cost nearly nothing. */
export class SampleFeed {
  readonly #told = new Map<string, Told>();
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

  /** Runs ten times a second for each service: it makes no garbage, and reads no counter where nothing happened. */
  #isNews(service: Sampled): boolean {
    const { name, cell, mode, counters, switches } = service;
    const size = OWN_FIELDS + counters.size * FIELDS;
    const isChanged = takeChanged(cell);
    const told = this.#told.get(name);
    if (told?.numbers.length !== size) {
      const first = { numbers: new Float64Array(size), looksAgain: isChanged };
      this.#told.set(name, first);
      take(first.numbers, service);
      return true;
    }
    const { numbers, looksAgain } = told;
    told.looksAgain = isChanged;
    const isSame = numbers[SWITCHES] === switches && numbers[MODE] === (mode?.number ?? 0);
    return isChanged || looksAgain || !isSame ? take(numbers, service) : false;
  }
}

/** Whether any number was another one. */
function take(numbers: Float64Array, { cell, mode, counters, switches }: Sampled): boolean {
  let isNews = put(numbers, SWITCHES, switches);
  isNews = put(numbers, MODE, mode?.number ?? 0) || isNews;
  isNews = put(numbers, HELD, totalFrom(cell, SERVICE_CELL.held)) || isNews;
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
