import type { Affinity } from "../affinity.ts";
import { LEDGER, PROCESS_CELL, SERVICE_CELL, COUNTER } from "../cells.ts";
import type { Share } from "../choose.ts";
import type { PublishedInstance, PublishedMode, PublishedTable, RoutesChange, WorkerStart } from "../messages.ts";
import { type Route, Router } from "../router.ts";
import { type UserCells, userRow } from "../user-windows.ts";
import { FailingClients } from "./failing-clients.ts";
import { ServiceMode } from "./service-mode.ts";

type Numbers = Float64Array<SharedArrayBuffer>;

/** One environment of one version of a table, with this worker's own rows of the shared memory. */
export interface WorkerEnvironment {
  readonly name: string;
  readonly release: string;
  readonly counters: Numbers;
  /** Null: clients do not keep to a side. */
  readonly clients: FailingClients | null;
  readonly ledger: Numbers;
  /** Null: they are not counted. */
  readonly users: UserCells | null;
  readonly instances: readonly PublishedInstance[];
}

export interface WorkerTable {
  readonly version: number;
  readonly armed: boolean;
  readonly shares: readonly Share[];
  readonly affinity: Affinity | null;
  readonly environments: ReadonlyMap<string, WorkerEnvironment>;
}

/** What a worker knows of one service: the live table is whichever version the shared cell names. */
export class WorkerService {
  readonly name: string;
  readonly cell: Int32Array<SharedArrayBuffer>;
  readonly #versions = new Map<number, WorkerTable>();
  #current: WorkerTable | null = null;
  readonly #modes = new Map<number, ServiceMode>();

  constructor(name: string, cell: Int32Array<SharedArrayBuffer>) {
    this.name = name;
    this.cell = cell;
  }

  /** One atomic load: this is where a switch takes effect. Null before the first table is live. */
  get table(): WorkerTable | null {
    const live = Atomics.load(this.cell, SERVICE_CELL.live);
    if (this.#current?.version !== live) this.#current = this.#versions.get(live) ?? this.#current;
    return this.#current;
  }

  /** Maintenance that is live; one atomic load. Null: there is none. */
  get mode(): ServiceMode | null {
    const live = Atomics.load(this.cell, SERVICE_CELL.mode);
    return live === 0 ? null : (this.#modes.get(live) ?? null);
  }

  /** Number of the window in which users are counted now. */
  get usersWindow(): number {
    return Atomics.load(this.cell, SERVICE_CELL.users);
  }

  /** Numbers grow. The live one is kept beside the new one, which is not live yet. */
  learnMode(number: number, mode: ServiceMode): void {
    const live = Atomics.load(this.cell, SERVICE_CELL.mode);
    for (const known of this.#modes.keys()) if (known !== live) this.#modes.delete(known);
    this.#modes.set(number, mode);
  }

  learn(table: WorkerTable): void {
    this.#versions.set(table.version, table);
  }

  /** Versions grow, and the main thread only ever makes one live that it published after the live one. */
  forgetBefore(version: number): void {
    for (const known of this.#versions.keys()) if (known < version) this.#versions.delete(known);
  }
}

/** All tables and routes of a worker. */
export class WorkerTables {
  readonly #index: number;
  readonly #processCell: Int32Array<SharedArrayBuffer>;
  readonly #services = new Map<string, WorkerService>();
  /** Learned, and not known to be live yet. */
  #waiting: WorkerRoutes | null = null;
  #routes: WorkerRoutes;

  constructor(start: Pick<WorkerStart, "index" | "processCell" | "tables" | "routes" | "modes">) {
    this.#index = start.index;
    this.#processCell = start.processCell;
    this.#routes = new WorkerRoutes(start.routes.version, start.routes.routes);
    this.learn(start.tables, null, start.modes);
  }

  learn(tables: readonly PublishedTable[], routes: RoutesChange | null, modes: readonly PublishedMode[]): void {
    for (const table of tables) this.#serviceOf(table).learn(compile(table, this.#index));
    for (const mode of modes) this.#serviceOf(mode).learnMode(mode.number, new ServiceMode(mode, this.#index));
    if (routes !== null) this.#waiting = this.#liveRoutes.changedBy(routes);
  }

  #serviceOf({ service: name, cell }: PublishedTable | PublishedMode): WorkerService {
    const service = this.#services.get(name) ?? new WorkerService(name, cell);
    this.#services.set(name, service);
    return service;
  }

  service(name: string): WorkerService | null {
    return this.#services.get(name) ?? null;
  }

  get router(): Router {
    return this.#liveRoutes.router;
  }

  /** The main thread publishes one change after the other, each of what is live: none but the newest can become it. */
  get #liveRoutes(): WorkerRoutes {
    if (this.#waiting?.version === Atomics.load(this.#processCell, PROCESS_CELL.routes)) {
      this.#routes = this.#waiting;
      this.#waiting = null;
    }
    return this.#routes;
  }
}

/** One version of the routes of all services. */
class WorkerRoutes {
  readonly version: number;
  readonly router: Router;
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(version: number, routes: readonly Route[]) {
    this.version = version;
    // Always in the same order, so that every worker finds the same where two claim the same.
    const inOrder = routes.toSorted((a, b) => (a.service < b.service ? -1 : 1));
    this.#routes = new Map(inOrder.map((route) => [route.service, route]));
    this.router = new Router(inOrder);
  }

  changedBy({ version, changed }: RoutesChange): WorkerRoutes {
    const routes = new Map(this.#routes);
    for (const route of changed) routes.set(route.service, route);
    return new WorkerRoutes(version, [...routes.values()]);
  }
}

function compile(table: PublishedTable, index: number): WorkerTable {
  const environments = new Map<string, WorkerEnvironment>();
  const counterRow = index * COUNTER.length;
  const ledgerRow = index * table.environments.length * LEDGER.length;
  table.environments.forEach(({ environment, release, counters, clients, users, instances }, position) => {
    const ledgerAt = ledgerRow + position * LEDGER.length;
    environments.set(environment, {
      name: environment,
      release,
      counters: counters.subarray(counterRow, counterRow + COUNTER.length),
      clients: clients === null ? null : new FailingClients(clients),
      ledger: table.ledger.subarray(ledgerAt, ledgerAt + LEDGER.length),
      users: users === null ? null : userRow(users, index),
      instances,
    });
  });
  const { version, armed, shares, affinity } = table;
  return { version, armed, shares, affinity, environments };
}
