import { type Deployment, DEPLOYMENT_STATES, isEnded } from "../model/deployment.ts";
import { toTealError } from "../model/error.ts";
import type { TealEvent } from "../model/event.ts";
import type { EngineParts } from "./parts.ts";
import { Recording } from "./recording.ts";
import type { SteadyTraffic } from "./steady-traffic.ts";

type RecorderParts = Pick<EngineParts, "hub" | "store" | "clock" | "report">;

/**
 * Keeps what each deployment's environments did from its first shift to its end, for reports and replays. It only listens:
 * no verdict waits for it, and what cannot be written is told and let go.
 */
export class TrafficRecorder {
  readonly #parts: RecorderParts;
  readonly #steady: SteadyTraffic;
  /** By service: at most one deployment is under way. */
  readonly #recordings = new Map<string, Recording>();
  /** Deployments of which nothing more is kept, as it is not known what was kept before. */
  readonly #givenUp = new Set<string>();

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

  /** Goes on with one that was under way when the server was started, where the server before it had ended. */
  async resume({ id, service, touchedTraffic }: Deployment): Promise<void> {
    try {
      const last = await this.#parts.store.lastSeries(id);
      if (last !== null) this.#recordings.set(service, Recording.after(last, this.#parts.clock));
      else if (touchedTraffic) this.#recordings.set(service, Recording.begin(id, this.#parts.clock, null));
    } catch (thrown) {
      this.#givenUp.add(id);
      this.#report(thrown, id);
    }
  }

  /** Writes what waits: another server goes on from there. */
  async stop(): Promise<void> {
    const recordings = [...this.#recordings.values()];
    this.#recordings.clear();
    for (const recording of recordings) this.#end(recording);
    await Promise.all(recordings.map(({ written }) => written));
  }

  #told(event: TealEvent): void {
    const { type, service, deployment, data } = event;
    if (service === null || deployment === null) return;
    if (type === "step-started") this.#stepStarted(service, deployment, event);
    const known = this.#recordings.get(service);
    if (known?.deployment !== deployment) return;
    if (type === "step-completed" || type === "step-failed") known.watchedBy(null);
    if (type !== "deployment-state") return;
    if (data["to"] === "rolling-back") known.watchedBy(null);
    if (!ENDED.has(String(data["to"]))) return;
    this.#recordings.delete(service);
    this.#end(known);
  }

  #end(recording: Recording): void {
    recording.end();
    this.#write(recording);
  }

  #stepStarted(service: string, deployment: string, { step, data }: TealEvent): void {
    const uses = String(data["uses"]);
    const isShift = uses.startsWith("shift@");
    const known = this.#recordings.get(service);
    const isNew = known?.deployment !== deployment;
    if (isNew && (!isShift || this.#givenUp.has(deployment))) return;
    const recording = isNew ? Recording.begin(deployment, this.#parts.clock, this.#steady.of(service, null)) : known;
    recording.watchedBy(isShift || uses.startsWith("bake@") ? step : null);
    this.#recordings.set(service, recording);
  }

  /** One after the other: a later piece goes on where the one before has ended. */
  #write(recording: Recording): void {
    recording.written = recording.written.then(async () => {
      const chunk = recording.take();
      if (chunk === null) return;
      try {
        await this.#parts.store.putSeries(chunk);
      } catch (thrown) {
        recording.giveBack(chunk);
        this.#report(thrown, chunk.deployment);
      }
    });
  }

  #report(thrown: unknown, deployment: string): void {
    this.#parts.report(toTealError(thrown), { deployment, doing: "keeping the traffic of a deployment" });
  }
}

const ENDED: ReadonlySet<string> = new Set(DEPLOYMENT_STATES.filter(isEnded));
