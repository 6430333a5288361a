import type { Milliseconds } from "../../model/time.ts";
import { add, total } from "../cells.ts";
import { DOOR } from "../door-cells.ts";
import type { EngineDoor } from "../http/engine.ts";
import { REFUSED_REASONS, type RefusedReason } from "../http/refused.ts";

const MINUTE_MS: Milliseconds = 60_000;

/** What the state of a service explains, and no line about a client. */
const SILENT: ReadonlySet<RefusedReason> = new Set([
  "maintenance",
  "no-release",
  "no-instance",
  "hold-full",
  "hold-timeout",
]);

interface DoorOptions {
  /** Rows of DOOR, one per worker. */
  readonly cells: Float64Array;
  readonly index: number;
  /** Connections that all workers may have open together. */
  readonly connections: number;
  /** Lines a minute of this worker; 0: none. */
  readonly lines: number;
  readonly now: () => Milliseconds;
  readonly log: (line: string) => void;
}

/** Counts one worker's connections and what it refuses, and tells a few of the reasons. */
export class Door implements EngineDoor {
  readonly #options: DoorOptions;
  readonly #row: Float64Array;
  #minute: Milliseconds = -Infinity;
  #lines = 0;
  #untold = 0;

  constructor(options: DoorOptions) {
    const { cells, index } = options;
    this.#options = options;
    this.#row = cells.subarray(index * DOOR.length, (index + 1) * DOOR.length);
  }

  opened(address: string): boolean {
    const { cells, connections } = this.#options;
    if (total(cells, DOOR.length, DOOR.open) >= connections) {
      this.refused("connection-limit", address, `${String(connections)} are open`);
      return false;
    }
    add(this.#row, DOOR.accepted);
    add(this.#row, DOOR.open);
    return true;
  }

  closed(): void {
    add(this.#row, DOOR.open, -1);
  }

  refused(reason: RefusedReason, address: string, detail: string): void {
    add(this.#row, DOOR.refused + REFUSED_REASONS.indexOf(reason));
    if (this.#options.lines === 0 || SILENT.has(reason)) return;
    const now = this.#options.now();
    if (now - this.#minute >= MINUTE_MS) this.#nextMinute(now);
    this.#lines += 1;
    if (this.#lines > this.#options.lines) this.#untold += 1;
    else this.#options.log(`refused ${address}: ${reason}${detail === "" ? "" : `: ${detail}`}`);
  }

  #nextMinute(now: Milliseconds): void {
    if (this.#untold > 0) this.#options.log(`refused ${String(this.#untold)} more, untold`);
    this.#minute = now;
    this.#lines = 0;
    this.#untold = 0;
  }
}
