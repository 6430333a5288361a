import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";
import type { TrafficCounters } from "../model/traffic.ts";
import { since } from "./counters.ts";
import type { CounterWindow } from "./window.ts";

/** Spans that are looked at for what is going on now. */
const SPANS_MS: readonly Milliseconds[] = [500, 2_000, 10_000];
const LONGEST_MS: Milliseconds = 10_000;
const MOST = 200;

/** Readings of two proxies may come in another order than they were taken; by more than this, the clock was set back. */
const UNORDERED_MS: Milliseconds = 1_000;

interface Reading {
  /** Never less than that of the reading before. */
  readonly at: EpochMilliseconds;
  readonly window: CounterWindow;
}

/** The last ten seconds of a window. Not stored: after a restart it begins at what was. A clock that is set back goes on here. */
export class Recent {
  readonly #readings: readonly Reading[];
  /** How far the clock was set back meanwhile. */
  readonly #backMs: Milliseconds;

  private constructor(readings: readonly Reading[], backMs: Milliseconds = 0) {
    this.#readings = readings;
    this.#backMs = backMs;
  }

  static readonly none = new Recent([]);

  /** What comes next came after this, whenever that was: while no server was there, both environments went on. */
  static from(window: CounterWindow): Recent {
    return new Recent([{ at: Number.NEGATIVE_INFINITY, window }]);
  }

  add(at: EpochMilliseconds, window: CounterWindow): Recent {
    const last = this.#readings.at(-1)?.at ?? at;
    const backMs = at + this.#backMs < last - UNORDERED_MS ? last - at : this.#backMs;
    const now = Math.max(at + backMs, last);
    const first = this.#readings.findLastIndex((reading) => reading.at <= now - LONGEST_MS);
    return new Recent([...this.#readings.slice(Math.max(0, first)), { at: now, window }].slice(-MOST), backMs);
  }

  /** What came in each of the spans, the shortest first; a span is cut short by what is known. */
  spans(environment: string): readonly TrafficCounters[] {
    const last = this.#readings.at(-1);
    if (last === undefined) return [];
    return SPANS_MS.map((ms) => {
      const begin = this.#readings.findLast(({ at }) => at <= last.at - ms) ?? this.#readings[0] ?? last;
      return since(begin.window.of(environment), last.window.of(environment));
    });
  }
}
