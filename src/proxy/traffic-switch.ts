import type { EpochMilliseconds } from "../model/time.ts";
import type { Receipt, Weights } from "../model/traffic.ts";
import { COUNTER, total } from "./cells.ts";
import { kernelRefused } from "./kernel.ts";
import type { LedgerSum, VersionRecord } from "./version-record.ts";

interface Totals {
  readonly held: number;
  readonly retried: number;
  readonly rescued: number;
  readonly failed: number;
}

export interface SwitchFacts {
  readonly service: string;
  readonly deployment: string | null;
  readonly generation: number;
  readonly from: Weights;
  readonly to: Weights;
  readonly at: EpochMilliseconds;
  /** Versions from before, whose requests may be in flight. */
  readonly before: readonly VersionRecord[];
  /** The service's counters, by environment. */
  readonly counters: ReadonlyMap<string, Float64Array>;
}

/**
 * One change of a split, and what becomes of the requests that were in flight on the side that lost weight. `inFlight`,
 * `drained` and `cut` are those requests; `held`, `retried`, `rescued` and `failed` the service's during the switch.
 */
export class TrafficSwitch {
  readonly facts: SwitchFacts;
  readonly losers: readonly string[];
  readonly #begunWith: LedgerSum;
  readonly #totals: Totals;
  readonly #kernelRefused: number;
  #final: Receipt | null = null;

  /** Make it at once after the flip: it reads the counts of that instant. */
  constructor(facts: SwitchFacts) {
    this.facts = facts;
    this.losers = Object.keys(facts.from).filter((name) => (facts.to[name] ?? 0) < (facts.from[name] ?? 0));
    this.#begunWith = this.#ledger();
    this.#totals = totalsOf(facts.counters);
    this.#kernelRefused = kernelRefused();
  }

  /** Environments that have no weight any more: they drain. */
  get emptied(): readonly string[] {
    return this.losers.filter((name) => (this.facts.to[name] ?? 0) === 0);
  }

  /** The last version from before. */
  get upTo(): number {
    return this.facts.before.reduce((last, { version }) => Math.max(last, version), 0);
  }

  get remaining(): number {
    const { started, ended } = this.#ledger();
    return started - ended;
  }

  remainingOf(environment: string): number {
    return this.facts.before.reduce((sum, record) => {
      const { started, ended } = record.sum(environment);
      return sum + started - ended;
    }, 0);
  }

  /** Counts as they are now; the last ones once it has ended. */
  get receipt(): Receipt {
    return this.#final ?? this.#read(this.remaining === 0);
  }

  end(): Receipt {
    this.#final ??= this.#read(true);
    return this.#final;
  }

  #read(isFinal: boolean): Receipt {
    const { service, deployment, generation, from, to, at, counters } = this.facts;
    const ledger = this.#ledger();
    const now = totalsOf(counters);
    const cut = ledger.cut - this.#begunWith.cut;
    return {
      service,
      deployment,
      generation,
      from,
      to,
      at,
      inFlight: ledger.started - this.#begunWith.ended,
      drained: ledger.ended - this.#begunWith.ended - cut,
      cut,
      held: now.held - this.#totals.held,
      retried: now.retried - this.#totals.retried,
      rescued: now.rescued - this.#totals.rescued,
      failed: now.failed - this.#totals.failed,
      kernelRefused: kernelRefused() - this.#kernelRefused,
      final: isFinal,
    };
  }

  #ledger(): LedgerSum {
    let sum: LedgerSum = { started: 0, ended: 0, cut: 0 };
    for (const record of this.facts.before) {
      for (const name of this.losers) {
        const { started, ended, cut } = record.sum(name);
        sum = { started: sum.started + started, ended: sum.ended + ended, cut: sum.cut + cut };
      }
    }
    return sum;
  }
}

function totalsOf(counters: ReadonlyMap<string, Float64Array>): Totals {
  const sum = (field: number): number =>
    [...counters.values()].reduce((all, cell) => all + total(cell, COUNTER.length, field), 0);
  return {
    held: sum(COUNTER.held),
    retried: sum(COUNTER.retried),
    rescued: sum(COUNTER.rescued),
    failed: sum(COUNTER.failures),
  };
}
