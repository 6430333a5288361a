import type { InstanceStatus } from "../model/environment.ts";
import { TealError } from "../model/error.ts";
import type { Release } from "../model/release.ts";
import { type Receipt, sameWeights, type TrafficSplit, type Weights } from "../model/traffic.ts";
import type { ActContext } from "../ports/context.ts";
import type { TrafficBackend, TrafficChange, TrafficDriver, TrafficObservation } from "../ports/traffic.ts";
import type { ServiceRow } from "../store/store.ts";
import { wasAsked } from "./asked-split.ts";
import { KeyedMutex } from "./mutex.ts";
import { driverOf, type EngineParts } from "./parts.ts";
import { SteadyTraffic } from "./steady-traffic.ts";

/** What is to hold for a service's traffic from now on. */
export interface TrafficWish {
  readonly weights: Weights;
  readonly deployment: string | null;
  readonly revertTo: Weights | null;
  readonly generation: number;
  /** Whose traffic and health settings hold. */
  readonly release: Release;
  /** Whether the shift is finished with this, though an environment keeps some traffic to be compared with. */
  readonly promotes?: boolean;
}

/** The one writer of each service's split: everything that changes it goes through here, one after another. */
export class TrafficDesk {
  readonly steady = new SteadyTraffic();
  readonly #parts: EngineParts;
  readonly #mutex = new KeyedMutex();
  /** By service, the newest generation whose receipt was final when it was applied. */
  readonly #final = new Map<string, number>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  driver(release: Release): TrafficDriver {
    return driverOf(this.#parts.traffic, release.spec.traffic.driver);
  }

  /** Runs `task` while nobody else changes the service's traffic. */
  alone<T>(service: string, task: () => Promise<T>): Promise<T> {
    return this.#mutex.run(service, task);
  }

  /** After the fence was raised: whoever still holds the service's traffic can do nothing to it any more. */
  evict(service: string): void {
    this.#mutex.evict(service);
  }

  /**
   * Applies a wish; call it from within {@link alone}.
   * @throws `unhealthy` when an environment that is to have traffic has no instance at all
   */
  async apply(service: string, wish: TrafficWish, seen: TrafficObservation, context: ActContext): Promise<Receipt> {
    const backends = await this.backends(wish.release, seen, context.signal);
    const empty = missing(wish.weights, backends);
    if (empty !== null) throw new TealError("unhealthy", `${empty} of ${service} has no instance to send traffic to`);
    return this.#send(service, wish, backends, context);
  }

  async #send(
    service: string,
    wish: TrafficWish,
    backends: readonly TrafficBackend[],
    context: ActContext,
  ): Promise<Receipt> {
    const { release, promotes = await this.#isPromoted(service), ...split } = wish;
    const { health, traffic: written, deploy } = release.spec;
    const { activeUsers } = deploy.guardrails;
    const traffic = activeUsers === undefined ? written : { ...written, usersWindowMs: activeUsers.windowMs };
    const change: TrafficChange = {
      ...split,
      service,
      fence: context.fence,
      backends,
      traffic: promotes || settled(wish.weights) ? { ...traffic, onControllerLoss: "keep" } : traffic,
      health,
    };
    const receipt = await this.driver(release).apply(change, context);
    if (receipt.final) this.#final.set(service, receipt.generation);
    return receipt;
  }

  /** Whether the deployment under way has made its environment the active one already. */
  async #isPromoted(service: string): Promise<boolean> {
    const { store } = this.#parts;
    const [unfinished] = await store.unfinished(service);
    const row = await store.service(service);
    return unfinished !== undefined && unfinished.from !== unfinished.to && row?.active === unfinished.to;
  }

  /** Not in between a look and an apply of somebody else, who would arm it again. */
  disarm(release: Release, deployment: string, context: ActContext): Promise<void> {
    const { service } = release;
    return this.alone(service, () => this.driver(release).disarm(service, deployment, context));
  }

  /** Whether a final receipt is news: not when it came as the answer to the apply itself. */
  async isNews({ service, generation }: Receipt): Promise<boolean> {
    // The notice may overtake the answer; behind the apply, the answer has been seen.
    return this.alone(service, () => Promise.resolve(this.#final.get(service) !== generation));
  }

  /**
   * Tells the data plane where the instances are now, and leaves weights and arming as they are: the same weights for no
   * deployment do not disarm. The active release's settings hold, or before there is one, those of `first`. Returns the
   * new generation, or null when nothing had to change. A split that somebody else has set is told as drift, and between
   * deployments becomes the record.
   */
  async refresh(service: string, first: Release | null, context: ActContext): Promise<number | null> {
    return this.alone(service, async () => {
      const release = (await this.leading(service)) ?? first;
      if (release === null) return null;
      const seen = await this.driver(release).observe(service, context.signal);
      const row = await this.#parts.store.service(service);
      if (row === null) throw new TealError("service-unknown", `${service} has no record`);
      const weights = weightsToKeep(seen.split, row);
      if (Object.keys(weights).length === 0) return null;
      const generation = Math.max(seen.split?.generation ?? 0, row.generation) + 1;
      const backends = await this.backends(release, seen, context.signal);
      // Their keeper may be coming back: what the data plane knows is better than nothing at all.
      if (missing(weights, backends) !== null) return null;
      const wish = { weights, deployment: null, revertTo: null, generation, release };
      await this.#send(service, wish, backends, context);
      const isOther = !sameWeights(weights, row.weights);
      // During a deployment a split that is not on record is drift, which is for its shift to find.
      if (isOther && (await this.#parts.store.unfinished(service)).length > 0) return generation;
      const isTold =
        isOther && Object.keys(row.weights).length > 0 && !(await wasAsked(this.#parts.store, seen.split, row));
      const drift = { expected: row.weights, live: weights };
      await this.#parts.journal.transition({
        service,
        fence: context.fence,
        split: { generation, weights },
        events: isTold ? [this.#parts.journal.event("drift", drift, { service })] : [],
      });
      return generation;
    });
  }

  /**
   * The release whose settings hold for the service's traffic: the active one. Where what serves is not on record (the
   * database is an older copy), the newest that is.
   */
  async leading(service: string): Promise<Release | null> {
    const { store } = this.#parts;
    const row = await store.service(service);
    if (row?.active == null) return null;
    const active = (await store.environments(service)).find(({ name }) => name === row.active);
    if (active?.release != null) return store.release(service, active.release);
    return (await store.releases(service))[0] ?? null;
  }

  /**
   * Where each environment's instances are. An instance that is not ready now is named only when the data plane knows it
   * already: it then stays known as unhealthy until it is back, and is never new traffic's first choice. What serves and is
   * not on record is looked for by the driver of `lead`, and keeps its traffic.
   */
  async backends(lead: Release, seen: TrafficObservation, signal: AbortSignal): Promise<TrafficBackend[]> {
    const { store, environments } = this.#parts;
    const { service } = lead;
    const known = new Set(seen.instances.map(({ id }) => id));
    const backends: TrafficBackend[] = [];
    const here = (instances: readonly InstanceStatus[]): TrafficBackend["instances"] =>
      instances.flatMap(({ id, address, state }) =>
        address !== null && (state === "ready" || known.has(id)) ? [{ id, address }] : [],
      );
    for (const record of await store.environments(service)) {
      if (record.release === null || record.desired === "stopped") continue;
      const release = await store.release(service, record.release);
      if (release === null) continue;
      const driver = driverOf(environments, release.spec.environment.driver);
      const { instances } = await driver.observe(service, record.name, signal);
      backends.push({
        environment: record.name,
        release: release.id,
        health: release.spec.health,
        instances: here(instances),
      });
    }
    for (const environment of await this.#unrecorded(service, seen)) {
      const driver = driverOf(environments, lead.spec.environment.driver);
      const { release, instances } = await driver.observe(service, environment, signal);
      if (release !== null) backends.push({ environment, release, instances: here(instances) });
    }
    return backends;
  }

  /** Environments with traffic that have no release on record. */
  async #unrecorded(service: string, { split }: TrafficObservation): Promise<readonly string[]> {
    const records = await this.#parts.store.environments(service);
    const recorded = new Set(records.flatMap(({ name, release }) => (release === null ? [] : [name])));
    const weights = split?.weights ?? {};
    return Object.keys(weights).filter((name) => (weights[name] ?? 0) > 0 && !recorded.has(name));
  }
}

/** A power cut may have taken the newest snapshot of a split that is on record: then the record is what counts. */
export function weightsToKeep(split: TrafficSplit | null, row: ServiceRow | null): Weights {
  const isBehind = split === null || split.generation < (row?.generation ?? 0);
  return (isBehind ? row?.weights : split.weights) ?? {};
}

/** An environment with weight and without instances; null when there is none. */
function missing(weights: Weights, backends: readonly TrafficBackend[]): string | null {
  const there = new Set(backends.flatMap(({ environment, instances }) => (instances.length > 0 ? [environment] : [])));
  return Object.keys(weights).find((name) => (weights[name] ?? 0) > 0 && !there.has(name)) ?? null;
}

/** At 100 % the shift is finished: losing the controller then is no reason to revert; an abort still is. */
function settled(weights: Weights): boolean {
  return Object.values(weights).includes(100);
}

/** Instances of one environment that the data plane finds healthy. */
export function healthyIn(seen: TrafficObservation, environment: string): number {
  return seen.instances.filter((instance) => instance.environment === environment && instance.healthy).length;
}

export function inFlightOf(seen: TrafficObservation, environment: string): number {
  return seen.instances.reduce(
    (sum, instance) => sum + (instance.environment === environment ? instance.inFlight : 0),
    0,
  );
}
