import type { MaintenanceMode } from "../model/maintenance.ts";
import type { Clock, Milliseconds, Random } from "../model/time.ts";
import { TealError } from "../model/error.ts";
import type { Receipt, TrafficSplit, UsersWindow } from "../model/traffic.ts";
import type { LatchRecord, ServiceMaintenance, ServiceTable } from "../wire/proxy.ts";
import { checkTable } from "./check-table.ts";
import type { Crew } from "./crew.ts";
import { DrainWatch } from "./drain-watch.ts";
import { type CheckedInstance, HealthChecks } from "./health-checks.ts";
import type { WorkerStart } from "./messages.ts";
import { ModeSwitch } from "./mode-switch.ts";
import { NOTHING_OBSERVED, type Observation, observationOf } from "./observation.ts";
import { RouteBook } from "./route-book.ts";
import { SampleFeed } from "./sample-feed.ts";
import { sampleOf, type ServiceSample } from "./service-sample.ts";
import { type PreparedTable, ServiceState } from "./service-state.ts";
import type { Snapshot } from "./snapshot.ts";
import type { SavedService } from "./snapshot-state.ts";
import { applied, disarmed, flippedBack, isLatched, judge, latch } from "./split-register.ts";
import { SwitchBook } from "./switch-book.ts";

/**
 * Longest that the answer to a revert waits for the snapshot; the flip never does. For a server this is enough: before it
 * calls a deployment taken back it has journaled that, synced, and reverts again after a power cut. Whoever asks the proxy
 * past the server has nothing but the latch: see {@link DataPlane.keep}.
 */
const REVERT_SAVE_MS: Milliseconds = 50;

export interface Reverted {
  readonly service: string;
  readonly deployment: string;
  readonly split: TrafficSplit;
  readonly cause: LatchRecord["cause"];
}

/** A table that is live. The receipt counts on until it is asked for. */
interface Applied {
  readonly service: ServiceState;
  readonly receipt: () => Receipt;
}

export interface DataPlaneOptions {
  readonly workers: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Made with what the data plane knows; asked at each start of a worker. */
  readonly crew: Pick<Crew, "publish" | "tell" | "processCell">;
  readonly snapshot: Snapshot;
  readonly epoch: string;
  readonly onReceipt: (receipt: Receipt) => void;
  readonly onReverted: (reverted: Reverted) => void;
  /** Something of what {@link DataPlane.observe} answers has changed, but for what is in flight. */
  readonly onChanged: (service: string) => void;
}

/** The splits of all services, in the main thread: what is live, what may become live, and what a switch did. */
export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #services = new Map<string, ServiceState>();
  readonly #routes: RouteBook;
  readonly #modes: ModeSwitch;
  readonly #health: HealthChecks;
  readonly #drains: DrainWatch;
  readonly #switches: SwitchBook;
  readonly #feed = new SampleFeed();
  #turn: Promise<unknown> = Promise.resolve();
  #version = 1;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    const { clock, random, crew, onReceipt, onChanged } = options;
    this.#routes = new RouteBook(crew.processCell);
    this.#modes = new ModeSwitch(clock, crew, onChanged);
    this.#health = new HealthChecks(clock, (turn, service, instance) => {
      if (turn === "healthy") crew.tell({ kind: "wake", service });
      else this.#services.get(service)?.ejected(instance);
      onChanged(service);
    });
    this.#drains = new DrainWatch({
      clock,
      random,
      tell: (message) => {
        crew.tell(message);
      },
      onFinal: onReceipt,
    });
    this.#switches = new SwitchBook(clock, this.#drains);
  }

  /** What a new worker has to know; what is being published at the moment it is told by the crew. */
  known(): Pick<WorkerStart, "tables" | "routes" | "modes"> {
    const services = [...this.#services.values()];
    return {
      tables: services.flatMap(({ published }) => published),
      routes: this.#routes.live,
      modes: services.flatMap(({ mode }) => (mode === null ? [] : [mode])),
    };
  }

  /** Makes live what the snapshot has. Call it before the workers start. */
  restore(): void {
    for (const { service: name, table, register, maintenance } of this.#options.snapshot.load()) {
      const service = this.#serviceOf(name);
      service.register = register;
      if (maintenance !== null) this.#modes.restore(service, maintenance);
      if (table !== null)
        this.#goLive(
          service,
          service.prepare({ ...table, revertTo: register.armed?.revertTo ?? null }, this.#nextVersion()),
        );
    }
    this.#routes.goLive(this.#routes.next(this.#tables));
  }

  observe(name: string): Observation {
    const service = this.#services.get(name);
    return service === undefined ? NOTHING_OBSERVED : observationOf(service);
  }

  /**
   * One after the other, so that tables become live in the order in which workers learn them. The snapshot is no part of a
   * turn: many changes at once are written as one.
   */
  async apply(table: ServiceTable): Promise<Receipt> {
    const turn = this.#turn.then(() => this.#apply(table));
    this.#turn = turn.catch(() => undefined);
    const { service, receipt } = await turn;
    await this.#save(service);
    return receipt();
  }

  /** Flips at once, in this very call; only the answer may wait, a little, for the snapshot. */
  async revert(
    name: string,
    deployment: string,
    { cause, because }: Pick<LatchRecord, "cause" | "because">,
  ): Promise<TrafficSplit | null> {
    const service = this.#serviceOf(name);
    const { register } = service;
    const flips = register.armed?.deployment === deployment;
    const isNew = !isLatched(register, deployment);
    service.register = latch(register, deployment, { at: this.#options.clock.now(), cause, because });
    const hasFlipped = flips && this.#flipBack(service);
    const { split, reverted } = service.register;
    this.#options.onChanged(name);
    if (hasFlipped || isNew) await this.#saveSoon(service);
    if (flips && split !== null && (hasFlipped || isNew))
      this.#options.onReverted({ service: name, deployment, split, cause });
    return flips || reverted === deployment ? split : null;
  }

  /**
   * Whether what is known of a service was on the disk, where a power cut leaves it, within `ms`; null: this proxy drains,
   * and leaves the snapshot to the one that replaces it.
   */
  keep(name: string, ms: Milliseconds): Promise<boolean | null> {
    return this.#options.snapshot.saveDurably(savedFrom(this.#serviceOf(name)), ms);
  }

  async disarm(name: string, deployment: string): Promise<void> {
    const service = this.#services.get(name);
    if (service === undefined) return;
    service.register = disarmed(service.register, deployment);
    this.#options.onChanged(name);
    await this.#save(service);
  }

  /** No release from then on; the order is remembered, so that nothing older comes back. */
  remove(name: string, fence: number): Promise<void> {
    const service = this.#services.get(name);
    const split = service?.register.split ?? null;
    const table = service?.table ?? null;
    if (service === undefined || split === null || table === null || service.isUnreleased) return Promise.resolve();
    if (fence < split.fence)
      throw new TealError("fenced", `${name} has fence ${String(split.fence)} live, above ${String(fence)}`);
    const empty = {
      ...table,
      fence,
      generation: split.generation + 1,
      deployment: null,
      weights: {},
      backends: [],
      revertTo: null,
    };
    const result = this.#turn.then(async () => {
      await this.#switchTo(service, empty);
      this.#health.watch(name, []);
      await this.#save(service);
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Resolves to the mode that is live then. `close` ends long-lived connections of the service, once. */
  async maintain(name: string, asked: ServiceMaintenance, close: boolean): Promise<MaintenanceMode> {
    const service = this.#serviceOf(name);
    const isNew = await this.#modes.order(service, asked, () => {
      this.#options.snapshot.check({ ...savedFrom(service), maintenance: asked });
    });
    if (isNew) await this.#save(service);
    if (close) this.#drains.endLongLived(service, this.#version);
    return service.mode?.mode ?? "off";
  }

  get serviceNames(): readonly string[] {
    return [...this.#services.keys()];
  }

  /** Deployments that a silent controller would leave unfinished. */
  get atRisk(): readonly { readonly service: string; readonly deployment: string }[] {
    return [...this.#services.values()].flatMap(({ name, register, table }) =>
      register.armed !== null && table?.traffic.onControllerLoss === "revert"
        ? [{ service: name, deployment: register.armed.deployment }]
        : [],
    );
  }

  /** The longest that a connection of any service may stay after it has lost its side. */
  get longestLivedMs(): Milliseconds {
    const limits = this.#tables.map(({ traffic }) => Math.max(traffic.longLivedMs, traffic.drainMs));
    return Math.max(0, ...limits);
  }

  /** Nobody hears samples now: whoever comes is told everything. */
  noListeners(): void {
    this.#feed.noListeners();
  }

  /** Those that are news to `listeners` of them; see {@link SampleFeed}. */
  samples(listeners: number): ServiceSample[] {
    const { clock, epoch } = this.#options;
    const at = clock.now();
    const now = clock.monotonic();
    const users = new Map<string, UsersWindow>();
    for (const service of this.#services.values()) {
      const window = service.users.next(now, service.register.split?.weights ?? {});
      if (window !== null) users.set(service.name, window);
    }
    const told = this.#feed.next(this.#services.values(), listeners);
    return told.map((service) => sampleOf(service, { at, epoch, users }));
  }

  workerLost(index: number): void {
    for (const service of this.#services.values()) service.forgetWorker(index);
  }

  /** Ends what is in flight, as the process is about to end: in receipts it has been cut. */
  cutAll(): void {
    const { crew } = this.#options;
    for (const { name: service, counters } of this.#services.values()) {
      for (const environment of counters.keys())
        crew.tell({ kind: "cut", service, environment, upTo: this.#version, which: "all", share: 1 });
    }
  }

  close(): void {
    this.#health.close();
    this.#drains.close();
    this.#modes.close();
  }

  async #apply(table: ServiceTable): Promise<Applied> {
    checkTable(table);
    const service = this.#serviceOf(table.service);
    if (judge(service.register, table) === "same" && isKnown(service, table)) return this.#unchanged(service);
    this.#options.snapshot.check({ ...savedFrom(service), table, register: applied(service.register, table) });
    return this.#switchTo(service, table);
  }

  async #switchTo(service: ServiceState, asked: ServiceTable): Promise<Applied> {
    const { crew, clock, onChanged } = this.#options;
    // Upkeep keeps a deployment armed, and so its target known.
    const table = { ...asked, revertTo: applied(service.register, asked).armed?.revertTo ?? null };
    const prepared = service.prepare(table, this.#nextVersion());
    const routes = this.#routes.next([table]);
    await crew.publish(prepared.published, routes);
    // A revert does not wait for its turn: what was allowed before may be latched by now.
    const isSame = judge(service.register, asked) === "same";
    const from = service.register.split?.weights ?? {};
    const before = service.records;
    this.#goLive(service, prepared);
    const at = clock.now();
    if (routes !== null) this.#routes.goLive(routes);
    if (!isSame) service.register = applied(service.register, asked);
    onChanged(service.name);
    if (isSame) return this.#unchanged(service);
    const flip = { from, before, deployment: asked.deployment, isTakenBack: false };
    const change = this.#switches.begin(service, flip, at);
    return { service, receipt: () => change.receipt };
  }

  /** Its receipt is taken within the turn: while the snapshot is waited for, a next table may become live. */
  #unchanged(service: ServiceState): Applied {
    const receipt = this.#switches.receiptOf(service);
    return { service, receipt: () => receipt };
  }

  #goLive(service: ServiceState, prepared: PreparedTable): void {
    service.goLive(prepared);
    this.#options.crew.tell({ kind: "live", service: service.name, version: prepared.live.version });
    this.#health.watch(service.name, checkedInstances(prepared));
  }

  /** False when that would take traffic from a healthy environment to one without a healthy instance (invariant 11). */
  #flipBack(service: ServiceState): boolean {
    const { armed, split } = service.register;
    if (armed === null || split === null) return false;
    if (!service.isServing(armed.revertTo) && service.isServing(split.weights)) return false;
    const before = service.records;
    if (!service.goBack(armed.revertTo)) return false;
    service.register = flippedBack(service.register);
    this.#options.crew.tell({ kind: "live", service: service.name, version: service.live?.version ?? 0 });
    const flip = { from: split.weights, before, deployment: armed.deployment, isTakenBack: true };
    this.#switches.begin(service, flip, this.#options.clock.now());
    return true;
  }

  #save(service: ServiceState): Promise<void> {
    return this.#options.snapshot.save(savedFrom(service));
  }

  async #saveSoon(service: ServiceState): Promise<void> {
    const enough = new AbortController();
    const limit = this.#options.clock.sleep(REVERT_SAVE_MS, enough.signal).catch(() => undefined);
    await Promise.race([this.#save(service), limit]);
    enough.abort();
  }

  #serviceOf(name: string): ServiceState {
    const service = this.#services.get(name) ?? new ServiceState(name, this.#options.workers);
    this.#services.set(name, service);
    return service;
  }

  get #tables(): readonly ServiceTable[] {
    return [...this.#services.values()].flatMap(({ table }) => table ?? []);
  }

  /** Each table takes two: its own, and its revert's. */
  #nextVersion(): number {
    const version = this.#version;
    this.#version += 2;
    return version;
  }
}

function savedFrom({ name, table, register, maintenance }: ServiceState): SavedService {
  return { service: name, table, register, maintenance };
}

/** Each environment by its own release's rule: what is healthy for one version may not even be a path of the other. */
function checkedInstances({ table, published: [live] }: PreparedTable): CheckedInstance[] {
  const specs = new Map(table.backends.map(({ environment, health }) => [environment, health]));
  return (live?.environments ?? []).flatMap(({ environment, instances }) =>
    instances.map((instance) => ({ instance, spec: specs.get(environment) ?? table.health })),
  );
}

/** Whether workers have this very table already. */
function isKnown(service: ServiceState, table: ServiceTable): boolean {
  const parts = ({ backends, traffic, health }: ServiceTable): string => JSON.stringify([backends, traffic, health]);
  return service.table !== null && parts(service.table) === parts(table);
}
