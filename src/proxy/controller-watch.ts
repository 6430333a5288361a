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

  /**
   * Looks until the signal aborts; four times in the time that it measures, so it is late by a quarter at most. Time in which
   * this process itself stood still is no silence of the controller: what that has said meanwhile is read only after this
   * timer, so a look that comes late judges nobody, unless the one before was late as well.
   */
  async run(signal: AbortSignal): Promise<void> {
    const everyMs = Math.min(1_000, this.#silenceMs / 4);
    let wasLate = false;
    while (!signal.aborted) {
      const before = this.#clock.monotonic();
      const isOn = await this.#clock.sleep(everyMs, signal).then(
        () => true,
        () => false,
      );
      if (!isOn) return;
      const now = this.#clock.monotonic();
      const sleptMs = now - before;
      const isLate = sleptMs > 2 * everyMs;
      if (isLate) this.#lastHeard = Math.min(now, this.#lastHeard + sleptMs - everyMs);
      const mayJudge = !isLate || wasLate;
      wasLate = isLate;
      if (mayJudge && now - this.#lastHeard >= this.#silenceMs) await this.#takeBack();
    }
  }

  async #takeBack(): Promise<void> {
    const lost = this.#plane.atRisk;
    await Promise.all(
      lost.map(({ service, deployment }) => this.#plane.revert(service, deployment, { cause: "controller-loss" })),
    );
  }
}
