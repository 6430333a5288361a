import { sameWeights, type Weights } from "../model/traffic.ts";
import type { ServiceMaintenance, ServiceTable } from "../wire/proxy.ts";
import {
  add,
  CLIENT_CELL,
  COUNTER,
  INSTANCE_CELL,
  LEDGER,
  markChanged,
  MODE_COUNTER,
  SERVICE_CELL,
  sharedInts,
  sharedNumbers,
} from "./cells.ts";
import { affinityOf } from "./affinity.ts";
import { sharesOf } from "./choose.ts";
import type { PublishedEnvironment, PublishedInstance, PublishedMode, PublishedTable } from "./messages.ts";
import { EMPTY_REGISTER, type SplitRegister } from "./split-register.ts";
import { UserWindows } from "./user-windows.ts";
import { VersionRecord } from "./version-record.ts";

/** Two versions of a table that the workers learn together: what is to become live, and what a revert makes live. */
export interface PreparedTable {
  readonly table: ServiceTable;
  readonly live: VersionRecord;
  readonly revert: VersionRecord | null;
  readonly published: readonly PublishedTable[];
}

/** All that the main thread knows of one service, with the memory that it shares with the workers. */
export class ServiceState {
  readonly name: string;
  readonly cell: Int32Array<SharedArrayBuffer>;
  readonly #workers: number;
  readonly #counters = new Map<string, Float64Array<SharedArrayBuffer>>();
  readonly #clients = new Map<string, { readonly of: string; readonly cell: Int32Array<SharedArrayBuffer> }>();
  /** The deployment that was applied last. */
  #deployment: string | null = null;
  #instances = new Map<string, PublishedInstance>();
  #records: VersionRecord[] = [];
  register: SplitRegister = EMPTY_REGISTER;
  table: ServiceTable | null = null;
  live: VersionRecord | null = null;
  revert: VersionRecord | null = null;
  /** What workers have to know of it at present. */
  published: readonly PublishedTable[] = [];
  /** What was ordered last; null: nothing ever was. */
  maintenance: ServiceMaintenance | null = null;
  #mode: PublishedMode | null = null;
  readonly modeCounters: Float64Array<SharedArrayBuffer>;
  readonly users: UserWindows;
  #switches = 0;

  constructor(name: string, workers: number) {
    this.name = name;
    this.#workers = workers;
    this.cell = sharedInts(SERVICE_CELL.held + workers);
    this.users = new UserWindows(this.cell);
    this.modeCounters = sharedNumbers(workers * MODE_COUNTER.length);
    markChanged(this.cell);
  }

  get counters(): ReadonlyMap<string, Float64Array<SharedArrayBuffer>> {
    return this.#counters;
  }

  get instances(): readonly PublishedInstance[] {
    return [...this.#instances.values()];
  }

  /** What of its maintenance is live; null: off. */
  get mode(): PublishedMode | null {
    return this.#mode;
  }

  set mode(mode: PublishedMode | null) {
    this.#mode = mode;
    markChanged(this.cell);
  }

  /** Changes of the live split since the process began. */
  get switches(): number {
    return this.#switches;
  }

  switched(): void {
    this.#switches += 1;
    markChanged(this.cell);
  }

  /** Whether a deployment or a maintenance is under way, so that its numbers are looked at all the time. */
  get isWatched(): boolean {
    return this.register.armed !== null || this.mode !== null;
  }

  /** Versions that may still have requests in flight. */
  get records(): readonly VersionRecord[] {
    return this.#records;
  }

  /** Makes the versions `first` and `first + 1` of a table; the cells of what is known already are kept. */
  prepare(table: ServiceTable, first: number): PreparedTable {
    this.#deployment = table.deployment ?? this.#deployment;
    this.users.lengthMs = table.traffic.usersWindowMs ?? null;
    const environments = table.backends.map((backend) => this.#environment(backend, table));
    const liveTable = this.#publishedTable(table, environments, {
      version: first,
      weights: table.weights,
      before: table.revertTo,
    });
    const live = new VersionRecord(table, first, liveTable.ledger);
    if (table.revertTo === null) return { table, live, revert: null, published: [liveTable] };
    const back = this.#publishedTable(table, environments, {
      version: first + 1,
      weights: table.revertTo,
      before: null,
    });
    return { table, live, revert: new VersionRecord(table, first + 1, back.ledger), published: [liveTable, back] };
  }

  /** The prepared table is live from the store on. */
  goLive(prepared: PreparedTable): void {
    const previous = this.live;
    if (countsOthers(this.table, prepared.table)) this.users.restart();
    Atomics.store(this.cell, SERVICE_CELL.live, prepared.live.version);
    this.table = prepared.table;
    this.live = prepared.live;
    this.revert = prepared.revert;
    this.published = prepared.published;
    this.#records = [...this.#records.filter((record) => record.inFlight > 0 || record === previous), prepared.live];
    this.#keepInstances(prepared.published);
  }

  /** The armed target is live from the store on. False when nothing is armed. */
  goBack(weights: Weights): boolean {
    const { revert, table } = this;
    if (revert === null || table === null) return false;
    Atomics.store(this.cell, SERVICE_CELL.live, revert.version);
    this.users.restart();
    this.table = { ...table, weights, revertTo: null };
    this.live = revert;
    this.revert = null;
    this.#records = [...this.#records, revert];
    return true;
  }

  /** Nothing was released yet, or it was removed. */
  get isUnreleased(): boolean {
    return Object.keys(this.register.split?.weights ?? {}).length === 0;
  }

  /** Whether these weights lead to an instance that is healthy. */
  isServing(weights: Weights): boolean {
    return (this.published[0]?.environments ?? []).some(
      ({ environment, instances }) =>
        (weights[environment] ?? 0) > 0 &&
        instances.some(({ cell }) => Atomics.load(cell, INSTANCE_CELL.healthy) === 1),
    );
  }

  /** A check has taken the instance out; the main thread counts that in its own row. */
  ejected({ cell }: PublishedInstance): void {
    const environment = this.published[0]?.environments.find(({ instances }) =>
      instances.some((one) => one.cell === cell),
    );
    if (environment === undefined) return;
    add(environment.counters, this.#workers * COUNTER.length + COUNTER.ejections);
    markChanged(this.cell);
  }

  /** A worker died: what it had in flight is over. */
  forgetWorker(index: number): void {
    for (const counters of this.#counters.values()) counters[index * COUNTER.length + COUNTER.inFlight] = 0;
    for (const { cell } of this.#instances.values()) Atomics.store(cell, INSTANCE_CELL.inFlight + index, 0);
    for (const record of this.#records) record.forgetWorker(index);
    Atomics.store(this.cell, SERVICE_CELL.held + index, 0);
    markChanged(this.cell);
  }

  #environment(backend: ServiceTable["backends"][number], { traffic }: ServiceTable): PublishedEnvironment {
    const { environment, release, instances } = backend;
    return {
      environment,
      release,
      counters: this.#countersOf(environment),
      clients: traffic.affinity === undefined ? null : this.#clientsOf(environment, release),
      users: this.users.of(environment, this.#workers),
      instances: instances.map(({ id, address }) => this.#instance(id, address)),
    };
  }

  #countersOf(environment: string): Float64Array<SharedArrayBuffer> {
    const known = this.#counters.get(environment);
    if (known !== undefined) return known;
    const counters = sharedNumbers((this.#workers + 1) * COUNTER.length);
    this.#counters.set(environment, counters);
    markChanged(this.cell);
    return counters;
  }

  /** Whoever failed with another release, or in another deployment, has not failed yet. */
  #clientsOf(environment: string, release: string): Int32Array<SharedArrayBuffer> {
    const of = `${release} ${this.#deployment ?? ""}`;
    const known = this.#clients.get(environment);
    if (known?.of === of) return known.cell;
    const cell = sharedInts(CLIENT_CELL.length * CLIENT_CELL.places);
    this.#clients.set(environment, { of, cell });
    return cell;
  }

  #instance(id: string, address: string): PublishedInstance {
    const known = this.#instances.get(keyOf(id, address));
    if (known !== undefined) return known;
    const at = address.lastIndexOf(":");
    const cell = sharedInts(INSTANCE_CELL.inFlight + this.#workers);
    // The keeper proved it ready just before: healthy until a check fails. One that has moved may be starting yet.
    const hasMoved = [...this.#instances.values()].some((other) => other.id === id);
    Atomics.store(cell, INSTANCE_CELL.healthy, hasMoved ? 0 : 1);
    const instance = {
      id,
      host: address.slice(0, at).replace(/^\[|\]$/gu, ""),
      port: Number(address.slice(at + 1)),
      cell,
    };
    this.#instances.set(keyOf(id, address), instance);
    return instance;
  }

  #publishedTable(
    table: ServiceTable,
    environments: readonly PublishedEnvironment[],
    { version, weights, before }: { version: number; weights: Weights; before: Weights | null },
  ): PublishedTable {
    return {
      service: table.service,
      version,
      cell: this.cell,
      ledger: sharedNumbers(this.#workers * environments.length * LEDGER.length),
      armed: before !== null,
      shares: sharesOf(weights),
      affinity: affinityOf(table, weights),
      environments,
    };
  }

  #keepInstances(published: readonly PublishedTable[]): void {
    const current = published.flatMap(({ environments }) => environments.flatMap(({ instances }) => instances));
    const cells = new Set(current.map(({ cell }) => cell));
    this.#instances = new Map([...this.#instances].filter(([, instance]) => cells.has(instance.cell)));
  }
}

/** Whether users on each side are others than before, or known by something else. */
function countsOthers(before: ServiceTable | null, now: ServiceTable): boolean {
  const by = ({ traffic }: ServiceTable): string => JSON.stringify([traffic.affinity, traffic.usersWindowMs]);
  return before === null || !sameWeights(before.weights, now.weights) || by(before) !== by(now);
}

function keyOf(id: string, address: string): string {
  return `${id} ${address}`;
}
