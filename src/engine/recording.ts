import { since } from "../analysis/counters.ts";
import { CounterWindow } from "../analysis/window.ts";
import { type SeriesCell, type SeriesChunk, type SeriesPoint, sparse } from "../model/series.ts";
import type { Clock, EpochMilliseconds, Milliseconds } from "../model/time.ts";
import type { TrafficCounters, TrafficSample } from "../model/traffic.ts";
import type { SteadyTraffic } from "./steady-traffic.ts";

const HOUR: Milliseconds = 3_600_000;
/** Every reading: the tests that compare both environments are begun with each, so that a replay needs the same ones. */
const FINE: Milliseconds = 50;
/** Intervals by the age of the recording: what comes first is looked at the closest. */
const INTERVALS: readonly { readonly until: Milliseconds; readonly ms: Milliseconds }[] = [
  { until: 30_000, ms: FINE },
  { until: HOUR, ms: 1_000 },
  { until: 10 * HOUR, ms: 10_000 },
  { until: Infinity, ms: 60_000 },
];
/** Later, too, every reading is kept for so long after an environment failed more than this share of the requests of one… */
const FAILING = { share: 0.02, ms: 2_000 };
/** …for a minute in all; each interval without adds one to it again. */
const MOST_FINE = 600;
/** Points of one piece: the most that a crash of the server leaves to one interval. */
const CHUNK = 60;
/** Points that wait for a disk which does not take them. */
const MOST_WAITING = 1_200;
/** Then nothing more is kept of this deployment: more than two days of watching. */
const MOST = 10_000;
/** By so much the wall clock may differ from what it was at the beginning without having been set. */
const SET_MS: Milliseconds = 500;

interface Origin {
  readonly wall: EpochMilliseconds;
  readonly monotonic: Milliseconds;
}

/**
 * What is kept of one deployment's traffic. Its time is the wall clock's at its beginning, and goes on by the monotonic
 * clock: a wall clock that is set back neither stops it nor puts anything out of order.
 */
export class Recording {
  readonly deployment: string;
  /** The piece before is written, or it is known that it is not. */
  written: Promise<void> = Promise.resolve();
  readonly #clock: Clock;
  /** The step that watches; null: none does. Undefined: not known. */
  #watchedBy: string | null | undefined = undefined;
  /** When this server began to record; null: not yet. */
  #origin: Origin | null = null;
  /** End of what another server has kept. */
  #notBefore: EpochMilliseconds = 0;
  #before: SeriesChunk["before"];
  #window = CounterWindow.empty;
  /** At the end of the last interval. */
  #counted = CounterWindow.empty;
  #pointAt: EpochMilliseconds = 0;
  #newestAt: EpochMilliseconds = 0;
  #waiting: SeriesPoint[] = [];
  /** Where the first waiting point begins. */
  #waitingFrom: EpochMilliseconds = 0;
  #number = 0;
  #kept = 0;
  #failedAt: EpochMilliseconds = Number.NEGATIVE_INFINITY;
  #fineLeft = MOST_FINE;
  /** Points since something was last to be written. */
  #untried = 0;
  #recordedMs: Milliseconds = 0;

  private constructor(deployment: string, clock: Clock) {
    this.deployment = deployment;
    this.#clock = clock;
  }

  /** `before`: what came until now; null: not known. */
  static begin(deployment: string, clock: Clock, before: ReturnType<SteadyTraffic["of"]>): Recording {
    const recording = new Recording(deployment, clock);
    if (before === null) return recording;
    const known = Object.entries(before.environments).map(([name, counted]) => [name, sparse(counted)] as const);
    recording.#before = Object.fromEntries(known);
    recording.add(before.newest);
    return recording;
  }

  /**
   * Goes on after the last piece that another server has kept. What came since is in the first interval, as the data plane
   * has counted on. @throws `internal` when what it says of the counters cannot be read
   */
  static after({ deployment, number, from, points, goesOn }: SeriesChunk, clock: Clock): Recording {
    const recording = new Recording(deployment, clock);
    recording.#number = number + 1;
    recording.#notBefore = points.at(-1)?.at ?? from;
    if (goesOn === undefined) return recording;
    recording.#kept = goesOn.kept;
    recording.#recordedMs = goesOn.recordedMs;
    recording.#counted = CounterWindow.fromJSON(goesOn.counted);
    recording.#window = recording.#counted;
    recording.#begin(recording.#notBefore);
    return recording;
  }

  /** Whether a piece is full. */
  add(sample: TrafficSample): boolean {
    const before = this.#window;
    this.#window = this.#window.add(sample);
    if (this.#origin === null) {
      this.#begin();
      this.#counted = this.#window;
      return false;
    }
    this.#newestAt = this.#now(this.#origin);
    if (this.#newestAt - this.#pointAt < this.#interval(before) || this.#kept >= MOST) return false;
    this.#point(this.#newestAt);
    return this.#untried >= CHUNK;
  }

  /** From now on this step watches; null: none does. What came until now was watched by the one before. */
  watchedBy(step: string | null): void {
    if (step !== this.#watchedBy) this.end();
    this.#watchedBy = step;
  }

  /** What is left of the last interval is a point, too. */
  end(): void {
    if (this.#window !== this.#counted) this.#point(this.#newestAt);
  }

  /** What waits to be written; null: nothing. */
  take(): SeriesChunk | null {
    const last = this.#waiting.at(-1);
    if (last === undefined) return null;
    const before = this.#before === undefined ? {} : { before: this.#before };
    const chunk: SeriesChunk = {
      format: 1,
      deployment: this.deployment,
      number: this.#number,
      from: this.#waitingFrom,
      ...before,
      points: this.#waiting,
      goesOn: { counted: this.#counted.toJSON(), kept: this.#kept, recordedMs: this.#recordedMs },
    };
    this.#number += 1;
    this.#untried = 0;
    this.#before = undefined;
    this.#waiting = [];
    this.#waitingFrom = last.at;
    return chunk;
  }

  /** What could not be written, or nobody knows whether it was, is written again with the next piece, in its place. */
  giveBack({ before, number, from, points }: SeriesChunk): void {
    if (before !== undefined) this.#before = before;
    this.#number = number;
    this.#waiting = [...points, ...this.#waiting];
    this.#waitingFrom = from;
    const tooMany = this.#waiting.splice(0, Math.max(0, this.#waiting.length - MOST_WAITING));
    this.#waitingFrom = tooMany.at(-1)?.at ?? from;
  }

  /** How long no server was there when the wall clock was set back meanwhile, nobody knows. */
  #begin(pointAt = Math.max(this.#clock.now(), this.#notBefore)): void {
    this.#origin = { wall: Math.max(this.#clock.now(), this.#notBefore), monotonic: this.#clock.monotonic() };
    this.#pointAt = pointAt;
    this.#newestAt = pointAt;
    this.#waitingFrom = pointAt;
  }

  /** @param before the counters at the reading before this one */
  #interval(before: CounterWindow): Milliseconds {
    const age = this.#recordedMs + this.#newestAt - this.#pointAt;
    const usual = INTERVALS.find(({ until }) => age < until)?.ms ?? HOUR;
    if (isFailing(before, this.#window)) this.#failedAt = this.#newestAt;
    if (usual === FINE) return FINE;
    const isClose = this.#newestAt - this.#failedAt <= FAILING.ms && this.#fineLeft > 0;
    if (!isClose) return usual;
    this.#fineLeft -= 1;
    return FINE;
  }

  #now({ wall, monotonic }: Origin): EpochMilliseconds {
    return Math.round(wall + this.#clock.monotonic() - monotonic);
  }

  #point(at: EpochMilliseconds): void {
    const names = Object.keys(this.#window.toJSON().total);
    const cells = names.flatMap((name) => {
      const came = since(this.#counted.of(name), this.#window.of(name));
      return came.requests + came.connectFailures > 0 ? [[name, cellOf(came)] as const] : [];
    });
    const setBy = Math.round(this.#clock.now() - at);
    this.#waiting.push({
      at,
      ...(Math.abs(setBy) < SET_MS ? {} : { clockMs: setBy }),
      ...(this.#watchedBy === undefined ? {} : { step: this.#watchedBy }),
      environments: Object.fromEntries(cells),
    });
    this.#counted = this.#window;
    if (at - this.#failedAt > FAILING.ms) this.#fineLeft = Math.min(MOST_FINE, this.#fineLeft + 1);
    this.#recordedMs += at - this.#pointAt;
    this.#pointAt = at;
    this.#kept += 1;
    this.#untried += 1;
  }
}

function isFailing(before: CounterWindow, now: CounterWindow): boolean {
  return Object.keys(now.toJSON().total).some((name) => {
    const { requests, failures } = since(before.of(name), now.of(name));
    return failures > FAILING.share * requests;
  });
}

function cellOf(came: TrafficCounters): SeriesCell {
  const { requests, failures, connectFailures, clients } = came;
  return {
    requests,
    failures,
    connectFailures,
    latency: sparse(came),
    ...(clients === undefined ? {} : { clients }),
  };
}
