import type { Milliseconds } from "../model/time.ts";
import type { UsersWindow, Weights } from "../model/traffic.ts";
import { SERVICE_CELL } from "./cells.ts";
import { estimate, REGISTERS } from "./distinct.ts";

/**
 * Memory in which the workers note the users of one environment: each has two sketches, for windows of even and of odd
 * numbers, and says of each which window it is of. So one is read while the other is written, and nobody waits.
 */
export interface UserCells {
  readonly registers: Uint8Array<SharedArrayBuffer>;
  readonly windows: Int32Array<SharedArrayBuffer>;
}

function userCells(workers: number): UserCells {
  return {
    registers: new Uint8Array(new SharedArrayBuffer(workers * 2 * REGISTERS)),
    windows: new Int32Array(new SharedArrayBuffer(workers * 2 * Int32Array.BYTES_PER_ELEMENT)),
  };
}

/** One worker's part of it. */
export function userRow({ registers, windows }: UserCells, worker: number): UserCells {
  return {
    registers: registers.subarray(worker * 2 * REGISTERS, (worker + 1) * 2 * REGISTERS),
    windows: windows.subarray(worker * 2, (worker + 1) * 2),
  };
}

/**
 * Counts the distinct users of a service's environments, window after window. One in which the split changed says nothing
 * of either, so it is given up, and the next begins with the new split.
 */
export class UserWindows {
  /** How long each is; null: nobody is counted. */
  lengthMs: Milliseconds | null = null;
  readonly #cell: Int32Array;
  readonly #environments = new Map<string, UserCells>();
  #begunAt: Milliseconds | null = null;
  #last: UsersWindow | null = null;

  /** @param cell of the service; see SERVICE_CELL */
  constructor(cell: Int32Array) {
    this.#cell = cell;
  }

  /** Null while nobody is counted, so that it costs nothing. */
  of(environment: string, workers: number): UserCells | null {
    if (this.lengthMs === null) return null;
    const cells = this.#environments.get(environment) ?? userCells(workers);
    this.#environments.set(environment, cells);
    return cells;
  }

  /** What is counted from now on is of another split, or of users known by something else. */
  restart(): void {
    Atomics.add(this.#cell, SERVICE_CELL.users, 1);
    this.#begunAt = null;
    this.#last = null;
  }

  /** The newest whole window with this split; null: there is none yet. To be called at every tick. */
  next(now: Milliseconds, weights: Weights): UsersWindow | null {
    if (this.lengthMs === null) return null;
    this.#begunAt ??= now;
    const ms = now - this.#begunAt;
    if (ms < this.lengthMs) return this.#last;
    const window = Atomics.add(this.#cell, SERVICE_CELL.users, 1);
    this.#begunAt = now;
    const counted = [...this.#environments].map(([name, cells]) => [name, distinctIn(cells, window)] as const);
    this.#last = { window, ms, weights, distinct: Object.fromEntries(counted) };
    return this.#last;
  }
}

function distinctIn({ registers, windows }: UserCells, window: number): number {
  const sketches = [...windows].flatMap((of, row) =>
    of === window ? [registers.subarray(row * REGISTERS, (row + 1) * REGISTERS)] : [],
  );
  return Math.round(estimate(sketches));
}
