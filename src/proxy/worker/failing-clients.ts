import type { EpochMilliseconds } from "../../model/time.ts";
import { CLIENT_AGAIN_MS } from "../../model/traffic.ts";
import { CLIENT_CELL } from "../cells.ts";

/** Times are kept in tenths of a second, as far as a 32-bit number reaches. */
const TICK_MS = 100;
const TICKS = 2 ** 30;
/** Clients whose keys lead to the same part share so many places; the one that failed longest ago makes room. */
const PLACES = 4;

/** `first`: the client has not failed before. `again`: it has, a while ago. `repeat`: it has just now. */
export type FailingClient = "first" | "again" | "repeat";

/**
 * The clients that failed on an environment since it has its release, in memory that all workers share. It is asked about
 * failures only. Of more clients at once than there is room for some are forgotten, and then they are new ones.
 */
export class FailingClients {
  readonly #cell: Int32Array;
  readonly #parts: number;

  constructor(cell: Int32Array) {
    this.#cell = cell;
    this.#parts = cell.length / (CLIENT_CELL.length * PLACES);
  }

  /** `point`: the client's own number in [0, 1). */
  failed(point: number, now: EpochMilliseconds): FailingClient {
    // 0 is an empty place.
    const hash = Math.floor(point * 2 ** 32) | 0 || 1;
    const tick = Math.floor(now / TICK_MS) % TICKS;
    const part = (hash >>> 8) % this.#parts;
    const places = Array.from({ length: PLACES }, (_, place) => (part * PLACES + place) * CLIENT_CELL.length);
    const known = places.find((at) => Atomics.load(this.#cell, at + CLIENT_CELL.hash) === hash);
    if (known === undefined) {
      this.#remember(places, hash, tick);
      return "first";
    }
    const before = Atomics.load(this.#cell, known + CLIENT_CELL.tick);
    if (Math.abs(tick - before) * TICK_MS < CLIENT_AGAIN_MS) return "repeat";
    // Of two workers at the same time, one is the first.
    return Atomics.compareExchange(this.#cell, known + CLIENT_CELL.tick, before, tick) === before ? "again" : "repeat";
  }

  #remember(places: readonly number[], hash: number, tick: number): void {
    const age = (at: number): number =>
      Atomics.load(this.#cell, at + CLIENT_CELL.hash) === 0
        ? Infinity
        : Math.abs(tick - Atomics.load(this.#cell, at + CLIENT_CELL.tick));
    const oldest = places.reduce((a, b) => (age(b) > age(a) ? b : a));
    Atomics.store(this.#cell, oldest + CLIENT_CELL.tick, tick);
    Atomics.store(this.#cell, oldest + CLIENT_CELL.hash, hash);
  }
}
