import type { ServiceTable } from "../wire/proxy.ts";
import { add, LEDGER, total } from "./cells.ts";

export interface LedgerSum {
  readonly started: number;
  readonly ended: number;
  readonly cut: number;
}

/** The main thread's side of one version of a table: who was in it, and what its requests came to. */
export class VersionRecord {
  readonly version: number;
  readonly #releases: ReadonlyMap<string, string>;
  readonly #positions: ReadonlyMap<string, number>;
  readonly #ledger: Float64Array;

  constructor(table: ServiceTable, version: number, ledger: Float64Array) {
    this.version = version;
    this.#releases = new Map(table.backends.map(({ environment, release }) => [environment, release]));
    this.#positions = new Map(table.backends.map(({ environment }, position) => [environment, position]));
    this.#ledger = ledger;
  }

  releaseOf(environment: string): string | null {
    return this.#releases.get(environment) ?? null;
  }

  /** Requests of all workers that were begun on this version in the environment. */
  sum(environment: string): LedgerSum {
    const position = this.#positions.get(environment);
    if (position === undefined) return { started: 0, ended: 0, cut: 0 };
    const stride = this.#positions.size * LEDGER.length;
    const at = position * LEDGER.length;
    return {
      // Ended before started: read in the other order, a request that passes meanwhile would seem to have ended unbegun.
      ended: total(this.#ledger, stride, at + LEDGER.ended),
      cut: total(this.#ledger, stride, at + LEDGER.cut),
      started: total(this.#ledger, stride, at + LEDGER.started),
    };
  }

  get inFlight(): number {
    return [...this.#positions.keys()].reduce((sum, environment) => {
      const { started, ended } = this.sum(environment);
      return sum + started - ended;
    }, 0);
  }

  /** A worker died: its requests have ended, cut. */
  forgetWorker(index: number): void {
    const row = index * this.#positions.size * LEDGER.length;
    for (let position = 0; position < this.#positions.size; position += 1) {
      const at = row + position * LEDGER.length;
      const { [at + LEDGER.started]: started = 0, [at + LEDGER.ended]: ended = 0 } = this.#ledger;
      add(this.#ledger, at + LEDGER.cut, started - ended);
      add(this.#ledger, at + LEDGER.ended, started - ended);
    }
  }
}
