import type { Clock, Milliseconds } from "../../../model/time.ts";
import type { ToldObservation } from "../../../ports/traffic.ts";

/** A proxy that lives is heard at least once a second, as it is pinged. */
const SILENCE_MS: Milliseconds = 2_000;

/**
 * What one proxy has told of its services on the present connection. It tells of every change, in order and before the
 * answer of the call that made it, so this is as good as asking, as long as the proxy is known to live.
 */
export class ToldObservations {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #services = new Map<string, ToldObservation>();
  #heardAt: Milliseconds = -Infinity;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Anything has come from the proxy. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  note(service: string, observation: ToldObservation): void {
    this.#services.set(service, observation);
  }

  /** Null: ask. */
  of(service: string): ToldObservation | null {
    const isSilent = this.#clock.monotonic() - this.#heardAt > SILENCE_MS;
    return isSilent ? null : (this.#services.get(service) ?? null);
  }

  /** The connection has ended: nothing is told any more. */
  forget(): void {
    this.#services.clear();
    this.#heardAt = -Infinity;
  }
}
