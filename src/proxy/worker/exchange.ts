import type { EpochMilliseconds, Milliseconds } from "../../model/time.ts";
import { pointOf } from "../affinity.ts";
import { add, COUNTER, INSTANCE_CELL, LEDGER, markChanged } from "../cells.ts";
import type { AccessEntry } from "../http/access-entry.ts";
import type { Admission, Exchange } from "../http/engine.ts";
import type { Cuttable, PublishedInstance } from "../messages.ts";
import { noteConnected, noteRefused } from "./balance.ts";
import type { Standing } from "./service-mode.ts";
import type { FailingClient } from "./failing-clients.ts";
import { Tally } from "./tally.ts";
import type { WorkerEnvironment, WorkerService, WorkerTable } from "./tables.ts";

/** The same in all workers, through all splits. */
const CLIENT_SEED = 0;

/** Times that a request is sent again after a reset. */
const REPLAYS_ALLOWED = 2;

/** An instance for a request, and the table that gave it. */
export interface Lease {
  readonly table: WorkerTable;
  readonly environment: WorkerEnvironment;
  readonly instance: PublishedInstance;
  /** The environment that the split chose: what happens is charged to it. */
  readonly first: WorkerEnvironment;
  readonly isRescue: boolean;
}

/** Who gives instances to exchanges. */
export interface Leaser {
  admitAgain(exchange: ServiceExchange): Admission;
  leaseFor(exchange: ServiceExchange): Lease | null;
  began(exchange: ServiceExchange): void;
  ended(exchange: ServiceExchange): void;
  /** It was refused once too often: its instance is unhealthy from now on. */
  ejected(exchange: ServiceExchange): void;
}

interface ExchangeOptions {
  readonly index: number;
  readonly now: () => Milliseconds;
  readonly wallNow: () => EpochMilliseconds;
  readonly leaser: Leaser;
  /** Whose request it is, to keep to a side of the split; null: nobody's in particular. */
  readonly key: string | null;
  readonly standing: Standing;
  /** What the access log will say of it; null: none is kept. */
  readonly access: AccessEntry | null;
}

/** One request of one service on its way; keeps the counts right whatever happens to it. */
export class ServiceExchange implements Exchange {
  readonly service: WorkerService;
  readonly isAbandoned: () => boolean;
  onCut: () => void = () => undefined;
  /** Of its key, once it was worked out; null: it has none. */
  point: number | null = null;
  isStreaming: () => boolean = () => false;
  /** Instances that refused it. */
  readonly tried = new Set<string>();
  readonly #options: ExchangeOptions;
  #lease: Lease | null = null;
  #last: Lease | null = null;
  #tally: Tally | null = null;
  #begunAt: Milliseconds = 0;
  #replays = 0;
  #isLongLived = false;
  #isCut = false;
  #isAgain = false;

  constructor(service: WorkerService, isAbandoned: () => boolean, options: ExchangeOptions) {
    this.service = service;
    this.isAbandoned = isAbandoned;
    this.#options = options;
  }

  get key(): string | null {
    return this.#options.key;
  }

  get standing(): Standing {
    return this.#options.standing;
  }

  get host(): string {
    return this.#last?.instance.host ?? "";
  }

  get port(): number {
    return this.#last?.instance.port ?? 0;
  }

  get begunAt(): Milliseconds {
    return this.#begunAt;
  }

  /** The environment that the split chose for it; null: to be chosen. */
  get environment(): string | null {
    return this.#isAgain ? (this.#last?.first.name ?? null) : null;
  }

  /** Whether it is one of these, and not being ended yet. */
  isCuttable(which: Cuttable): boolean {
    if (this.#isCut) return false;
    switch (which) {
      case "silent":
        return !this.#isLongLived && !this.isStreaming();
      case "endless":
        return this.#isLongLived;
      case "all":
        return true;
      default:
        return which satisfies never;
    }
  }

  isOn(environment: string, upTo: number): boolean {
    return this.#lease?.environment.name === environment && this.#lease.table.version <= upTo;
  }

  /** The split chose this environment for it; only the first choice counts. */
  charge(environment: WorkerEnvironment): Tally {
    this.#tally ??= new Tally(environment.counters, this.service.cell, () => this.#failingClient(environment));
    return this.#tally;
  }

  /** One that does not say whose it is counts as a client of its own. */
  #failingClient({ clients }: WorkerEnvironment): FailingClient | null {
    const { key, wallNow } = this.#options;
    if (clients === null) return null;
    return key === null ? "first" : clients.failed(pointOf(key, CLIENT_SEED), wallNow());
  }

  begin(lease: Lease): void {
    if (this.#last === null) this.#begunAt = this.#options.now();
    this.#lease = lease;
    this.#last = lease;
    const tally = this.charge(lease.first);
    if (lease.isRescue) tally.rescued();
    if (this.#options.access !== null) note(this.#options.access, lease, this.#begunAt);
    Atomics.add(lease.instance.cell, INSTANCE_CELL.inFlight + this.#options.index, 1);
    add(lease.environment.counters, COUNTER.inFlight);
    markChanged(this.service.cell);
    add(lease.environment.ledger, LEDGER.started);
    this.#options.leaser.began(this);
  }

  connected(): void {
    if (this.#lease !== null) noteConnected(this.#lease.instance);
  }

  connectFailed(): Admission {
    const failed = this.#leave();
    if (failed !== null) {
      if (noteRefused(failed.instance)) {
        add(failed.environment.counters, COUNTER.ejections);
        this.#options.leaser.ejected(this);
      }
      markChanged(this.service.cell);
      this.tried.add(failed.instance.id);
    }
    this.#tally?.event("connectFailures");
    return this.#again();
  }

  replay(): Admission | null {
    const reset = this.#leave();
    if (reset === null || this.#replays >= REPLAYS_ALLOWED || this.#isCut) return null;
    this.#replays += 1;
    this.#isAgain = true;
    // Another instance first; with only one, that one again.
    this.tried.add(reset.instance.id);
    if (this.#options.leaser.leaseFor(this) === null) this.tried.delete(reset.instance.id);
    return this.#again();
  }

  responded(status: number, latencyMs: Milliseconds | null): void {
    const { access } = this.#options;
    if (access !== null) {
      access.status = status;
      access.responseMs = latencyMs;
    }
    this.#tally?.answered(status, latencyMs);
  }

  markLongLived(): void {
    this.#isLongLived = true;
  }

  broken(): void {
    if (!this.#isCut) this.#tally?.broken();
  }

  gaveUp(status: number): void {
    if (!this.#isCut) this.#tally?.answered(status, null);
  }

  end(): void {
    this.#leave();
  }

  /** Begins its end; it counts as cut when it has ended. */
  cut(): void {
    if (this.#lease === null || this.#isCut) return;
    this.#isCut = true;
    this.onCut();
  }

  /** Forgets what was tried, as it will wait. */
  startOver(): void {
    this.tried.clear();
    this.#isAgain = false;
  }

  wasHeld(): void {
    if (this.#options.access !== null) this.#options.access.isHeld = true;
    this.#tally?.event("held");
  }

  #again(): Admission {
    this.#isAgain = true;
    const rescuesBefore = this.#last?.isRescue;
    const admitted = this.#options.leaser.admitAgain(this);
    if (admitted === this && this.#last?.isRescue === rescuesBefore) {
      if (this.#options.access !== null) this.#options.access.retries += 1;
      this.#tally?.event("retried");
    }
    return admitted;
  }

  #leave(): Lease | null {
    const lease = this.#lease;
    if (lease === null) return null;
    this.#lease = null;
    Atomics.sub(lease.instance.cell, INSTANCE_CELL.inFlight + this.#options.index, 1);
    add(lease.environment.counters, COUNTER.inFlight, -1);
    markChanged(this.service.cell);
    if (this.#isCut) add(lease.environment.ledger, LEDGER.cut);
    add(lease.environment.ledger, LEDGER.ended);
    this.#options.leaser.ended(this);
    return lease;
  }
}

function note(access: AccessEntry, { environment, instance, isRescue }: Lease, begunAt: Milliseconds): void {
  access.environment = environment.name;
  access.release = environment.release;
  access.instance = instance.id;
  access.isRescued ||= isRescue;
  access.waitMs = Math.max(0, begunAt - access.since);
}
