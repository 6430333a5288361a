import type { InstanceStatus } from "../../model/environment.ts";
import { TealError } from "../../model/error.ts";
import type { EnvironmentObservation } from "../../ports/environment.ts";

/** So many ends by themselves within one watch are no accident. */
const TOO_MANY = 2;

/** Counts how often instances of one environment end by themselves while it is watched. */
export class Exits {
  readonly #environment: string;
  readonly #first = new Map<string, number>();
  readonly #last = new Map<string, number>();

  constructor(environment: string) {
    this.#environment = environment;
  }

  start({ instances }: EnvironmentObservation): void {
    for (const { id, restarts } of instances) this.#first.set(id, restarts);
  }

  /** What an instance's change means for the release: `crash-loop`, or null while it may be an accident. */
  seen(environment: string, { id, state, restarts, reason }: InstanceStatus): TealError | null {
    if (environment !== this.#environment) return null;
    if (state === "crash-loop" || state === "failed") return new TealError("crash-loop", `${id}: ${reason ?? state}`);
    if (!this.#first.has(id)) this.#first.set(id, restarts);
    this.#last.set(id, restarts);
    const exits = [...this.#last].reduce(
      (sum, [instance, count]) => sum + count - (this.#first.get(instance) ?? count),
      0,
    );
    if (exits < TOO_MANY) return null;
    return new TealError(
      "crash-loop",
      `instances of ${environment} ended by themselves ${String(exits)} times while it was watched (${reason ?? id})`,
    );
  }
}
