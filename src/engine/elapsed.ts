import type { Clock, EpochMilliseconds, Milliseconds } from "../model/time.ts";

/**
 * How long something has lasted that outlives a server: what was before this process, by the wall clock from its recorded
 * beginning; from then on by the monotonic one, so that a wall clock that is set meanwhile neither ends nor prolongs it.
 */
export class Elapsed {
  readonly #clock: Clock;
  /** Its beginning on this process's monotonic clock; null: not asked yet. */
  #begun: Milliseconds | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * It begins now. Ask this for the time to be recorded: a wall clock that is set between reading it and the first answer would
   * count as time that has passed.
   */
  begin(): EpochMilliseconds {
    this.#begun = this.#clock.monotonic();
    return this.#clock.now();
  }

  /**
   * @param since recorded beginning; null: it begins now. What counts is the first answer's.
   * @returns never less than 0: a wall clock that was set back while no server ran has it begin anew
   */
  since(since: EpochMilliseconds | null): Milliseconds {
    const now = this.#clock.monotonic();
    this.#begun ??= now - (since === null ? 0 : Math.max(0, this.#clock.now() - since));
    return now - this.#begun;
  }
}
