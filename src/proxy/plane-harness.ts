import type { Clock, Random } from "../model/time.ts";
import type { ServiceTable } from "../wire/proxy.ts";
import { INSTANCE_CELL, PROCESS_CELL, SERVICE_CELL, sharedInts } from "./cells.ts";
import { DataPlane, type Reverted } from "./data-plane.ts";
import type { Receipt } from "../model/traffic.ts";
import { Followers } from "./followers.ts";
import type { PublishedMode, PublishedTable, RoutesChange, ToWorker, WorkerStart } from "./messages.ts";
import { Publications } from "./publications.ts";
import { Snapshot } from "./snapshot.ts";
import { WorkerDispatcher } from "./worker/dispatcher.ts";
import { WorkerTables } from "./worker/tables.ts";

export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** A worker's rules without its engine: what it is told waits until the test delivers it. */
class HarnessWorker {
  readonly tables: WorkerTables;
  readonly dispatcher: WorkerDispatcher;
  readonly inbox: ToWorker[] = [];

  constructor(
    start: Pick<WorkerStart, "index" | "processCell" | "tables" | "routes" | "modes">,
    clock: Clock,
    random: Random,
    onEjected: (service: string) => void,
  ) {
    this.tables = new WorkerTables(start);
    const now = (): number => clock.monotonic();
    const wallNow = (): number => clock.now();
    const { tables } = this;
    this.dispatcher = new WorkerDispatcher({ index: start.index, tables, random, now, wallNow, onEjected });
  }

  /** It may be behind what is live, and then has accepted no connection yet. */
  get isLearning(): boolean {
    return this.inbox.some(({ kind }) => kind === "publish");
  }
}

interface PlaneOptions {
  readonly snapshotPath: string;
  readonly clock: Clock;
  /** Stands still, so that a write is always waited for: the disk is a real one. */
  readonly snapshotClock: Clock;
  /** 1 unless given. */
  readonly workers?: number;
  /** The least that can be drawn unless given. */
  readonly random?: Random;
  /** Takes what the snapshot complains of; unless given, a complaint is a failure. */
  readonly log?: (line: string) => void;
}

/** The data plane's main thread and its workers' rules in one thread, with every message between them in a test's hands. */
export class PlaneHarness {
  readonly plane: DataPlane;
  readonly receipts: Receipt[] = [];
  readonly reverts: Reverted[] = [];
  readonly followers = new Followers((service) => this.plane.observe(service));
  readonly workers: HarnessWorker[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #processCell = sharedInts(PROCESS_CELL.length);
  readonly #publications = new Publications();
  readonly #onChanged = (service: string): void => {
    this.followers.changed(service);
  };

  constructor(options: PlaneOptions) {
    const { snapshotPath, clock, snapshotClock, workers = 1, random = () => 0, log = failed } = options;
    this.#clock = clock;
    this.#random = random;
    this.plane = new DataPlane({
      workers,
      clock,
      random,
      crew: {
        processCell: this.#processCell,
        tell: (message) => {
          for (const { inbox } of this.workers) inbox.push(message);
        },
        publish: (tables, routes, modes) => this.#publish(tables, routes, modes),
      },
      snapshot: new Snapshot(snapshotPath, snapshotClock, log),
      epoch: "e",
      onReceipt: (receipt) => this.receipts.push(receipt),
      onReverted: (reverted) => this.reverts.push(reverted),
      onChanged: this.#onChanged,
    });
    this.plane.restore();
    for (let index = 0; index < workers; index += 1) this.#begin(index);
  }

  /** Gives a worker the oldest message that it was sent. False: there is none. */
  deliver(index: number): boolean {
    const worker = this.workers[index];
    const message = worker?.inbox.shift();
    if (worker === undefined || message === undefined) return false;
    if (message.kind === "publish") {
      worker.tables.learn(message.tables, message.routes, message.modes);
      this.#publications.acknowledged(index, message.number);
    } else if (message.kind === "live") {
      worker.tables.service(message.service)?.forgetBefore(message.version);
      worker.dispatcher.wake(message.service);
    } else if (message.kind === "wake") worker.dispatcher.wake(message.service);
    else if (message.kind === "cut") {
      const { service, environment, upTo, which } = message;
      for (const exchange of worker.dispatcher.activeOf(service, environment, upTo))
        if (exchange.isCuttable(which)) exchange.cut();
    }
    return true;
  }

  /** A worker dies, its clients with it; another takes its place at once, as the crew does it. */
  lose(index: number): void {
    // It shares the test's thread: so that its queue is empty, and its timer stops.
    for (const service of this.plane.serviceNames) this.workers[index]?.dispatcher.wake(service);
    this.plane.workerLost(index);
    this.#begin(index);
  }

  /** Makes instances of "web" healthy or not, as checks do. */
  setHealth(side: string, is: boolean, at: (index: number) => boolean = () => true): void {
    const live = this.plane.known().tables[0]?.environments.find(({ environment }) => environment === side);
    const cells = (live?.instances ?? []).filter((_, index) => at(index)).map(({ cell }) => cell);
    for (const cell of cells) Atomics.store(cell, INSTANCE_CELL.healthy, is ? 1 : 0);
    this.#onChanged("web");
    for (const { inbox } of this.workers) inbox.push({ kind: "wake", service: "web" });
  }

  /** All messages come. */
  async settle(calls: Iterable<Promise<unknown>> = []): Promise<void> {
    const waiting = { isOver: false };
    const all = Promise.all(calls).finally(() => (waiting.isOver = true));
    for (let quiet = 0; !waiting.isOver || quiet < 5;) {
      const delivered = this.workers.map((_, index) => this.deliver(index));
      quiet = delivered.includes(true) ? 0 : quiet + 1;
      await turn();
    }
    await all;
  }

  /** The version of a service's table that a worker goes by, and the one that is live. */
  versions(index: number, service: string): readonly [number | undefined, number | undefined] {
    const known = this.workers[index]?.tables.service(service);
    return [
      known?.table?.version,
      known === null || known === undefined ? undefined : Atomics.load(known.cell, SERVICE_CELL.live),
    ];
  }

  #begin(index: number): void {
    const start = { index, processCell: this.#processCell, ...this.plane.known() };
    const worker = new HarnessWorker(start, this.#clock, this.#random, this.#onChanged);
    worker.inbox.push(...this.#publications.joined(index));
    this.workers[index] = worker;
  }

  async #publish(
    tables: readonly PublishedTable[],
    routes: RoutesChange | null,
    modes: readonly PublishedMode[] = [],
  ): Promise<void> {
    const { message, known, close } = this.#publications.open({ tables, routes, modes }, this.workers.keys());
    for (const { inbox } of this.workers) inbox.push(message);
    await known;
    close();
  }
}

export const SIDES = ["blue", "green"] as const;

interface TableFacts {
  readonly fence?: number;
  readonly generation?: number;
  /** Green's weight; blue has the rest. */
  readonly green?: number;
  readonly deployment?: string | null;
  readonly arms?: boolean;
  /** Instances of each side. */
  readonly size?: number;
}

/** A table of "web" whose instances nobody checks. */
export function tableOf(facts: TableFacts): ServiceTable {
  const { fence = 1, generation = 1, green = 0, deployment = null, arms = false, size = 2 } = facts;
  return {
    service: "web",
    fence: Math.max(0, fence),
    generation: Math.max(0, generation),
    deployment,
    weights: { blue: 100 - green, green },
    backends: SIDES.map((environment, side) => ({
      environment,
      release: "v1",
      instances: Array.from({ length: size }, (_, at) => ({
        id: `web/${environment}/${String(at)}`,
        address: `127.0.0.1:${String(size * side + at + 1)}`,
      })),
    })),
    revertTo: arms && deployment !== null ? { blue: 100, green: 0 } : null,
    traffic: {
      driver: "embedded",
      hosts: [],
      paths: ["/"],
      drainMs: 300,
      longLivedMs: 1_000,
      onControllerLoss: "keep",
    },
    // The tests say what is healthy, not checks.
    health: {
      path: "/",
      status: 200,
      intervalMs: 1e9,
      timeoutMs: 1,
      healthyAfter: 1e9,
      unhealthyAfter: 1e9,
      deadlineMs: 1,
    },
  };
}

function failed(line: string): never {
  throw new Error(line);
}
