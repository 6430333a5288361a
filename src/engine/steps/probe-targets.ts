import { toTealError } from "../../model/error.ts";
import type { Milliseconds } from "../../model/time.ts";
import { aboutOf } from "../about.ts";
import type { StepRun } from "../step.ts";

/** So often it is looked where the instances are. */
const LOOK_EVERY_MS: Milliseconds = 1_000;
const LOOK_MS: Milliseconds = 5_000;

/** Where probes go: the instances that the data plane would choose from, found as it is told of them. */
export class ProbeTargets {
  readonly #run: StepRun;
  readonly #signal: AbortSignal;
  #addresses: ReadonlyMap<string, readonly string[]> | null = null;
  #lookedAt: Milliseconds | null = null;
  #isTold = false;

  constructor(run: StepRun, signal: AbortSignal) {
    this.#run = run;
    this.#signal = signal;
  }

  /** Addresses of an environment, healthy ones if there are any; null before the first look that had an answer. */
  of(environment: string): readonly string[] | null {
    return this.#addresses === null ? null : (this.#addresses.get(environment) ?? []);
  }

  /** Looks again when that is due. Where nobody answers, what was known stands, and the log says so once. */
  async refresh(): Promise<void> {
    const { clock } = this.#run.parts;
    const now = clock.monotonic();
    if (this.#lookedAt !== null && now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    try {
      this.#addresses = await this.#look(AbortSignal.any([this.#signal, AbortSignal.timeout(LOOK_MS)]));
      this.#isTold = false;
    } catch (thrown) {
      this.#signal.throwIfAborted();
      if (!this.#isTold) this.#report(thrown);
      this.#isTold = true;
    }
  }

  async #look(signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
    const { desk, release, deployment } = this.#run;
    const seen = await desk.driver(release).observe(deployment.service, signal);
    const healthy = new Set(seen.instances.flatMap(({ id, healthy: isHealthy }) => (isHealthy ? [id] : [])));
    const backends = await desk.backends(release, seen, signal);
    return new Map(
      backends.map(({ environment, instances }) => {
        const fit = instances.filter(({ id }) => healthy.has(id));
        return [environment, (fit.length > 0 ? fit : instances).map(({ address }) => address)];
      }),
    );
  }

  #report(thrown: unknown): void {
    const { parts, deployment, id, context } = this.#run;
    const about = aboutOf(deployment, { id, attempt: context.attempt });
    parts.report(toTealError(thrown), { ...about, doing: "finding instances to probe" });
  }
}
