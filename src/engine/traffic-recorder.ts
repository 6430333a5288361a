import { since } from "../analysis/counters.ts";
import { CounterWindow } from "../analysis/window.ts";
import { type Deployment, DEPLOYMENT_STATES, isEnded } from "../model/deployment.ts";
import { toTealError } from "../model/error.ts";
import type { TealEvent } from "../model/event.ts";
import { type SeriesCell, type SeriesChunk, type SeriesPoint, sparse } from "../model/series.ts";
import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";
import type { TrafficCounters, TrafficSample } from "../model/traffic.ts";
import type { EngineParts } from "./parts.ts";
import type { SteadyTraffic } from "./steady-traffic.ts";

const HOUR: Milliseconds = 3_600_000;
/** Intervals by the age of the recording: what comes first is looked at the closest. */
const INTERVALS: readonly { readonly until: Milliseconds; readonly ms: Milliseconds }[] = [
  { until: HOUR, ms: 1_000 },
  { until: 10 * HOUR, ms: 10_000 },
  { until: Infinity, ms: 60_000 },
];
/** Points of one piece; the most that a crash of the server costs. */
const CHUNK = 60;
/** Points that wait for a disk which does not take them. */
const MOST_WAITING = 600;
/** Then nothing more is kept of this deployment: more than two days of watching. */
const MOST = 10_000;

type RecorderParts = Pick<EngineParts, "hub" | "store" | "report">;

/**
 * Keeps what each deployment's environments did from its first shift to its end, for reports and replays. It only listens:
 * no verdict waits for it, and what cannot be written is told and let go.
 */
export class TrafficRecorder {
  readonly #parts: RecorderParts;
  readonly #steady: SteadyTraffic;
  /** By service: at most one deployment is under way. */
  readonly #recordings = new Map<string, Recording>();

  constructor(parts: RecorderParts, steady: SteadyTraffic) {
    this.#parts = parts;
    this.#steady = steady;
  }

  listen(signal: AbortSignal): void {
    const { hub } = this.#parts;
    hub.subscribe(
      "sample",
      (sample) => {
        const recording = this.#recordings.get(sample.service);
        if (recording?.add(sample) === true) this.#write(recording);
      },
      signal,
    );
    hub.subscribe(
      "event",
      (event) => {
        this.#told(event);
      },
      signal,
    );
  }

  /** Goes on with one that was under way when the server was started; its traffic meanwhile is not known. */
  resume({ id, service, touchedTraffic }: Deployment): void {
    if (touchedTraffic) this.#recordings.set(service, new Recording(id, null));
  }

  #told({ type, service, deployment, data }: TealEvent): void {
    if (service === null || deployment === null) return;
    const known = this.#recordings.get(service);
    if (type === "step-started" && String(data["uses"]).startsWith("shift@") && known?.deployment !== deployment) {
      this.#recordings.set(service, new Recording(deployment, this.#steady.of(service, null)));
    }
    if (type !== "deployment-state" || known?.deployment !== deployment) return;
    if (!ENDED.has(String(data["to"]))) return;
    this.#recordings.delete(service);
    known.end();
    this.#write(known);
  }

  #write(recording: Recording): void {
    const chunk = recording.take();
    if (chunk === null) return;
    this.#parts.store.putSeries(chunk).catch((thrown: unknown) => {
      recording.giveBack(chunk);
      const { deployment } = chunk;
      this.#parts.report(toTealError(thrown), { deployment, doing: "keeping the traffic of a deployment" });
    });
  }
}

const ENDED: ReadonlySet<string> = new Set(DEPLOYMENT_STATES.filter(isEnded));

class Recording {
  readonly deployment: string;
  #before: SeriesChunk["before"];
  #window = CounterWindow.empty;
  /** At the end of the last interval. */
  #counted = CounterWindow.empty;
  #beganAt: EpochMilliseconds | null = null;
  #pointAt: EpochMilliseconds = 0;
  #newestAt: EpochMilliseconds = 0;
  #waiting: SeriesPoint[] = [];
  /** Where the first waiting point begins. */
  #waitingFrom: EpochMilliseconds = 0;
  #kept = 0;

  constructor(deployment: string, before: ReturnType<SteadyTraffic["of"]>) {
    this.deployment = deployment;
    if (before === null) return;
    const known = Object.entries(before.environments).map(([name, counted]) => [name, sparse(counted)] as const);
    this.#before = Object.fromEntries(known);
    this.add(before.newest);
  }

  /** Whether a piece is full. */
  add(sample: TrafficSample): boolean {
    this.#window = this.#window.add(sample);
    this.#newestAt = Math.max(this.#newestAt, sample.at);
    if (this.#beganAt === null) {
      this.#beganAt = sample.at;
      this.#pointAt = sample.at;
      this.#waitingFrom = sample.at;
      this.#counted = this.#window;
      return false;
    }
    const age = sample.at - this.#beganAt;
    const interval = INTERVALS.find(({ until }) => age < until)?.ms ?? HOUR;
    if (sample.at - this.#pointAt < interval || this.#kept >= MOST) return false;
    this.#point(sample.at);
    return this.#waiting.length >= CHUNK;
  }

  /** What is left of the last interval is a point, too. */
  end(): void {
    if (this.#newestAt > this.#pointAt && this.#beganAt !== null) this.#point(this.#newestAt);
  }

  /** What waits to be written; null: nothing. */
  take(): SeriesChunk | null {
    const last = this.#waiting.at(-1);
    if (last === undefined) return null;
    const before = this.#before === undefined ? {} : { before: this.#before };
    const chunk: SeriesChunk = {
      format: 1,
      deployment: this.deployment,
      from: this.#waitingFrom,
      ...before,
      points: this.#waiting,
    };
    this.#before = undefined;
    this.#waiting = [];
    this.#waitingFrom = last.at;
    return chunk;
  }

  /** What could not be written waits for the next piece, unless there is too much of it. */
  giveBack({ before, from, points }: SeriesChunk): void {
    if (before !== undefined) this.#before = before;
    if (points.length + this.#waiting.length > MOST_WAITING) return;
    this.#waiting = [...points, ...this.#waiting];
    this.#waitingFrom = from;
  }

  #point(at: EpochMilliseconds): void {
    const names = Object.keys(this.#window.toJSON().total);
    const cells = names.flatMap((name) => {
      const came = since(this.#counted.of(name), this.#window.of(name));
      return came.requests + came.connectFailures > 0 ? [[name, cellOf(came)] as const] : [];
    });
    this.#waiting.push({ at, environments: Object.fromEntries(cells) });
    this.#counted = this.#window;
    this.#pointAt = at;
    this.#kept += 1;
  }
}

function cellOf(came: TrafficCounters): SeriesCell {
  const { requests, failures, connectFailures } = came;
  return { requests, failures, connectFailures, latency: sparse(came) };
}
