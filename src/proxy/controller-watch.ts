import type { Clock, Milliseconds } from "../model/time.ts";
import type { DataPlane } from "./data-plane.ts";

/** DESIGN section 2: the longest silence of the controller in an unfinished shift. */
const CONTROLLER_LOSS_MS: Milliseconds = 15_000;

/** Takes an unfinished shift back when nobody drives it any more. */
export class ControllerWatch {
  readonly #clock: Clock;
  readonly #plane: Pick<DataPlane, "atRisk" | "revert">;
  readonly #silenceMs: Milliseconds;
  #lastHeard: Milliseconds;

  constructor(clock: Clock, plane: Pick<DataPlane, "atRisk" | "revert">, silenceMs: Milliseconds | undefined) {
    this.#clock = clock;
    this.#plane = plane;
    this.#silenceMs = silenceMs ?? CONTROLLER_LOSS_MS;
    this.#lastHeard = clock.monotonic();
  }

  heard(): void {
    this.#lastHeard = this.#clock.monotonic();
  }

  /** Looks until the signal aborts; four times in the time that it measures, so it is late by a quarter at most. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isOn = await this.#clock.sleep(Math.min(1_000, this.#silenceMs / 4), signal).then(
        () => true,
        () => false,
      );
      if (!isOn) return;
      if (this.#clock.monotonic() - this.#lastHeard < this.#silenceMs) continue;
      const lost = this.#plane.atRisk;
      await Promise.all(
        lost.map(({ service, deployment }) => this.#plane.revert(service, deployment, "controller-loss")),
      );
    }
  }
}
