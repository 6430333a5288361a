import type { EpochMilliseconds, Milliseconds, Random } from "../../model/time.ts";
import { affinityKey, pointOf } from "../affinity.ts";
import { chooseEnvironment } from "../choose.ts";
import type { Admission, Dispatcher, RequestFacts } from "../http/engine.ts";
import { REFUSAL, type Refusal } from "../http/refusal.ts";
import { Standstill } from "../standstill.ts";
import { pickInstance } from "./balance.ts";
import { type Lease, type Leaser, ServiceExchange } from "./exchange.ts";
import { HoldQueue } from "./hold-queue.ts";
import { noteUser } from "./note-user.ts";
import { NO_STANDING } from "./service-mode.ts";
import type { WorkerEnvironment, WorkerService, WorkerTable, WorkerTables } from "./tables.ts";

/** How often a queue that is not empty is looked at, beside every wake-up. */
const LOOK_EVERY_MS = 25;

interface DispatchOptions {
  readonly index: number;
  readonly tables: WorkerTables;
  readonly random: Random;
  /** Monotonic milliseconds. */
  readonly now: () => Milliseconds;
  readonly wallNow: () => EpochMilliseconds;
  /** Connects have just made an instance of the service unhealthy. */
  readonly onEjected: (service: string) => void;
}

/** The data plane's rules in one worker: service, environment, instance, holding, rescue. */
export class WorkerDispatcher implements Dispatcher, Leaser {
  readonly #options: DispatchOptions;
  readonly #queues = new Map<string, HoldQueue<ServiceExchange>>();
  readonly #active = new Map<string, Set<ServiceExchange>>();
  #timer: NodeJS.Timeout | null = null;
  /** While any queue is not empty. */
  #standstill: Standstill | null = null;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  admit(facts: RequestFacts): Admission {
    const { tables, now, wallNow } = this.#options;
    const { router } = tables;
    const name = router.match(facts.host, facts.target);
    const service = name === null ? null : tables.service(name);
    if (service === null) return REFUSAL[router.isEmpty ? "no-release" : "no-route"];
    const access = facts.access ?? null;
    if (access !== null) access.service = service.name;
    const { mode } = service;
    const standing = mode?.standingOf(facts) ?? NO_STANDING;
    if (mode?.kind === "on" && !standing.passes) return mode.answerTo(standing);
    const affinity = service.table?.affinity ?? null;
    return this.admitAgain(
      new ServiceExchange(service, facts.isAbandoned, {
        index: this.#options.index,
        now,
        wallNow,
        leaser: this,
        key: affinity === null ? null : affinityKey(affinity.by, facts),
        standing,
        access,
      }),
    );
  }

  /** Gives the exchange an instance, or lets it wait for one. */
  admitAgain(exchange: ServiceExchange): Admission {
    const queue = this.#queueOf(exchange.service);
    const { passes } = exchange.standing;
    if (passes || (queue.isEmpty && exchange.service.mode?.kind !== "hold")) {
      const result = this.#attempt(exchange);
      if (result !== null) return result;
    }
    return this.#hold(queue, exchange);
  }

  /** An instance that was not tried yet, of the same environment or, while a deployment is armed, of another that serves. */
  leaseFor(exchange: ServiceExchange): Lease | null {
    const { table } = exchange.service;
    if (table === null) return null;
    const chosen = this.#environmentFor(table, exchange);
    if (chosen === null) return null;
    exchange.charge(chosen);
    if (chosen.users !== null && exchange.point !== null)
      noteUser(chosen.users, exchange.service.usersWindow, exchange.point);
    const instance = pickInstance(chosen.instances, exchange.tried, this.#options.random);
    if (instance !== null) return { table, environment: chosen, instance, first: chosen, isRescue: false };
    return table.armed ? this.#rescue(table, chosen, exchange) : null;
  }

  began(exchange: ServiceExchange): void {
    const { name } = exchange.service;
    const set = this.#active.get(name) ?? new Set();
    this.#active.set(name, set);
    set.add(exchange);
  }

  ended(exchange: ServiceExchange): void {
    this.#active.get(exchange.service.name)?.delete(exchange);
  }

  ejected(exchange: ServiceExchange): void {
    this.#options.onEjected(exchange.service.name);
  }

  /** Requests of an environment that were begun on version `upTo` or before. */
  activeOf(service: string, environment: string, upTo: number): readonly ServiceExchange[] {
    return [...(this.#active.get(service) ?? [])].filter((exchange) => exchange.isOn(environment, upTo));
  }

  wake(service: string): void {
    const now = this.#options.now();
    this.#excuse(now);
    this.#queues.get(service)?.release(now);
  }

  #attempt(exchange: ServiceExchange): ServiceExchange | Refusal | null {
    const { table } = exchange.service;
    if (table === null || table.shares.length === 0) return REFUSAL["no-release"];
    const lease = this.leaseFor(exchange);
    if (lease === null) return null;
    exchange.begin(lease);
    return exchange;
  }

  #environmentFor(table: WorkerTable, exchange: ServiceExchange): WorkerEnvironment | null {
    const before = exchange.environment;
    const stays = before !== null && table.shares.some((share) => share.environment === before && share.weight > 0);
    const name = stays ? before : chooseEnvironment(table.shares, this.#pointFor(table, exchange));
    return name === null ? null : (table.environments.get(name) ?? null);
  }

  #pointFor({ affinity }: WorkerTable, exchange: ServiceExchange): number {
    const { key } = exchange;
    if (affinity === null || key === null) return this.#options.random();
    exchange.point = pointOf(key, affinity.seed);
    return exchange.point;
  }

  #rescue(table: WorkerTable, first: WorkerEnvironment, exchange: ServiceExchange): Lease | null {
    for (const { environment: name, weight } of table.shares) {
      const environment = weight > 0 && name !== first.name ? table.environments.get(name) : undefined;
      const instance =
        environment === undefined ? null : pickInstance(environment.instances, exchange.tried, this.#options.random);
      if (environment !== undefined && instance !== null)
        return { table, environment, instance, first, isRescue: true };
    }
    return null;
  }

  #hold(queue: HoldQueue<ServiceExchange>, exchange: ServiceExchange): Admission {
    exchange.startOver();
    const { promise, resolve } = Promise.withResolvers<ServiceExchange | Refusal>();
    const refused = queue.add({
      since: this.#options.now(),
      standing: exchange.standing,
      attempt: () => this.#attemptHeld(exchange),
      isAbandoned: exchange.isAbandoned,
      resolve: (result) => {
        // Maintenance is nobody's failure.
        if (result === REFUSAL["no-instance"] && !exchange.isAbandoned()) exchange.gaveUp(result.status);
        resolve(result);
      },
    });
    if (refused !== null) {
      // A hold that is full is nobody's failure; this is that of the side it would have gone to.
      if (refused === REFUSAL["hold-full"]) {
        this.leaseFor(exchange);
        exchange.gaveUp(refused.status);
      }
      return refused;
    }
    this.#timer ??= setInterval(() => {
      this.#look();
    }, LOOK_EVERY_MS);
    this.#standstill ??= new Standstill(this.#options.now());
    return promise;
  }

  #attemptHeld(exchange: ServiceExchange): ServiceExchange | Refusal | null {
    const result = this.#attempt(exchange);
    if (result === exchange) exchange.wasHeld();
    return result;
  }

  #look(): void {
    const now = this.#options.now();
    this.#excuse(now);
    let isAnyLeft = false;
    for (const queue of this.#queues.values()) {
      queue.release(now);
      isAnyLeft ||= !queue.isEmpty;
    }
    if (isAnyLeft || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#standstill = null;
  }

  /** While the process stood still nobody could find an instance healthy again. */
  #excuse(now: Milliseconds): void {
    const lostMs = this.#standstill?.look(now) ?? 0;
    if (lostMs > 0) for (const queue of this.#queues.values()) queue.excuse(lostMs, now);
  }

  #queueOf(service: WorkerService): HoldQueue<ServiceExchange> {
    const known = this.#queues.get(service.name);
    if (known !== undefined) return known;
    const queue = new HoldQueue<ServiceExchange>(service, this.#options.index);
    this.#queues.set(service.name, queue);
    return queue;
  }
}
