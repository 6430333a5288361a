import { type Deployment, isEnded } from "../model/deployment.ts";
import { TealError } from "../model/error.ts";
import type { Release } from "../model/release.ts";
import type { EngineParts } from "./parts.ts";
import { Run } from "./run.ts";
import type { TrafficDesk } from "./traffic-desk.ts";

/** The runs of this process: one per unfinished deployment. */
export class Fleet {
  readonly #parts: EngineParts;
  readonly #desk: TrafficDesk;
  readonly #stop: AbortSignal;
  readonly #runs = new Map<string, Run>();

  constructor(parts: EngineParts, desk: TrafficDesk, stop: AbortSignal) {
    this.#parts = parts;
    this.#desk = desk;
    this.#stop = stop;
  }

  /** Begins to drive a deployment, or goes on with it. */
  start(deployment: Deployment, release: Release, fence: number): Run {
    const there = this.#runs.get(deployment.id);
    if (there !== undefined) return there;
    const run = new Run(this.#parts, this.#desk, { deployment, release, fence }, this.#stop);
    this.#runs.set(deployment.id, run);
    void run.drive().then(() => this.#runs.delete(deployment.id));
    return run;
  }

  of(service: string): Run | null {
    for (const run of this.#runs.values()) {
      if (run.deployment.service === service && !isEnded(run.deployment.state)) return run;
    }
    return null;
  }

  get(id: string): Run | null {
    return this.#runs.get(id) ?? null;
  }

  /** Resolves when every run has noticed that the engine stops. */
  async settled(): Promise<void> {
    await Promise.all([...this.#runs.values()].map((run) => run.done));
  }
}

/** Waits for a run's end, within the caller's signal. The run goes on when the caller gives up. */
export async function ended(run: Run, signal: AbortSignal): Promise<void> {
  const gone = Promise.withResolvers<never>();
  const onAbort = (): void => {
    gone.reject(new TealError("deadline-passed", `${run.deployment.id} goes on; see \`teal status\``));
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([run.done, gone.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
