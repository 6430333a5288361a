import type { RollbackCause } from "../../model/deployment.ts";
import { TealError } from "../../model/error.ts";
import { LATENCY_BOUNDS_MS } from "../../model/latency.ts";
import { modeAt } from "../../model/maintenance.ts";
import type { EpochMilliseconds, Milliseconds } from "../../model/time.ts";
import {
  compareOrder,
  type Receipt,
  sameWeights,
  type TrafficCounters,
  type TrafficSample,
  type TrafficSplit,
  type UsersWindow,
  weightsProblem,
} from "../../model/traffic.ts";
import type { ActContext } from "../../ports/context.ts";
import type {
  Latch,
  MaintenanceChange,
  ToldObservation,
  TrafficChange,
  TrafficDriver,
  TrafficNotice,
  TrafficObservation,
} from "../../ports/traffic.ts";

interface Entry {
  live: TrafficChange | null;
  latched: Latch[];
  maintenance: MaintenanceChange | null;
}

type Counted = Pick<TrafficCounters, "requests" | "failures"> & Pick<Partial<TrafficCounters>, "clients">;

const NO_COUNTS: TrafficCounters = {
  requests: 0,
  failures: 0,
  classes: [0, 0, 0, 0, 0],
  latency: LATENCY_BOUNDS_MS.map(() => 0).concat(0),
  inFlight: 0,
  connectFailures: 0,
  retried: 0,
  rescued: 0,
  upgrades: 0,
};

/** A data plane in memory: the port's rules of order, latch and revert, with counters that a test sets. */
export class MemoryTraffic implements TrafficDriver {
  readonly name = "memory";
  readonly applied: TrafficChange[] = [];
  /** Ids of instances that are to be unhealthy. */
  readonly unhealthy = new Set<string>();
  /** Requests in flight to each instance of an environment. */
  readonly inFlight = new Map<string, number>();
  /** Called before each apply: a test throws or waits here. A test that applies by itself may have no context. */
  beforeApply: (change: TrafficChange, context?: ActContext) => Promise<void> = () => Promise.resolve();
  /** While set, every call fails with it. */
  down: TealError | null = null;
  /** What it has told by itself, of each service; whoever asks hears how it is. */
  readonly telling = new Map<string, ToldObservation>();
  readonly #entries = new Map<string, Entry>();
  readonly #counters = new Map<string, TrafficCounters>();
  #epoch: Pick<TrafficSample, "epoch" | "since"> = { epoch: "memory" };
  readonly #samples = new Set<(sample: TrafficSample) => void>();
  readonly #notices = new Set<(notice: TrafficNotice) => void>();

  async observe(service: string): Promise<TrafficObservation> {
    this.#throwIfDown();
    const { live, latched, maintenance } = this.#entry(service);
    return Promise.resolve({
      split: live === null ? null : splitOf(live),
      armed:
        live?.revertTo == null || live.deployment === null
          ? null
          : { deployment: live.deployment, revertTo: live.revertTo },
      latched: [...latched],
      maintenance: maintenance === null ? "off" : modeAt(maintenance.order, this.now()),
      instances: (live?.backends ?? []).flatMap(({ environment, instances }) =>
        instances.map(({ id }) => ({
          id,
          environment,
          healthy: !this.unhealthy.has(id),
          inFlight: this.inFlight.get(environment) ?? 0,
        })),
      ),
    });
  }

  told(service: string): ToldObservation | null {
    return this.telling.get(service) ?? null;
  }

  async apply(change: TrafficChange, context?: ActContext): Promise<Receipt> {
    await this.beforeApply(change, context);
    this.#throwIfDown();
    if (context !== undefined && context.deadline <= this.monotonic())
      throw new TealError("deadline-passed", "apply had no time left");
    const entry = this.#entry(change.service);
    const problem = weightsProblem(change.weights);
    if (problem !== null) throw new TealError("request-invalid", problem);
    if (entry.latched.some(({ deployment, fence }) => deployment === change.deployment || change.fence <= fence)) {
      throw new TealError("latched", `${String(change.deployment)} or its fence is latched`);
    }
    if (entry.live !== null) {
      const order = compareOrder(change, entry.live);
      if (order < 0 || (order === 0 && !sameWeights(change.weights, entry.live.weights))) {
        throw new TealError("fenced", `${String(change.fence)}/${String(change.generation)} is not newer`);
      }
    }
    const from = entry.live?.weights ?? {};
    const upkeep = change.deployment === null && entry.live !== null && sameWeights(change.weights, entry.live.weights);
    entry.live = upkeep
      ? { ...change, deployment: entry.live?.deployment ?? null, revertTo: entry.live?.revertTo ?? null }
      : change;
    this.applied.push(change);
    return receiptOf(change, from);
  }

  /** Orders of maintenance, as they became live. */
  readonly maintained: MaintenanceChange[] = [];
  /** For the end of a hold. */
  now: () => EpochMilliseconds = () => 0;
  /** For the deadline of an apply. */
  monotonic: () => Milliseconds = () => 0;

  maintain = async (change: MaintenanceChange): Promise<void> => {
    this.#throwIfDown();
    const entry = this.#entry(change.service);
    const { maintenance: known, live } = entry;
    const order = known === null ? 1 : change.fence - known.fence || change.revision - known.revision;
    if (order < 0 || change.fence < (live?.fence ?? 0)) {
      throw new TealError("fenced", `maintenance ${String(change.fence)}/${String(change.revision)} is not newer`);
    }
    if (order > 0) this.maintained.push(change);
    entry.maintenance = change;
    return Promise.resolve();
  };

  async revert(
    service: string,
    deployment: string,
    _signal?: AbortSignal,
    because?: RollbackCause,
  ): Promise<TrafficSplit | null> {
    this.#throwIfDown();
    const entry = this.#entry(service);
    const { live } = entry;
    const isLatched = entry.latched.some((latch) => latch.deployment === deployment);
    const isArmed = live?.deployment === deployment && live.revertTo !== null;
    if (isLatched && !isArmed) return Promise.resolve(live === null ? null : splitOf(live));
    return Promise.resolve(this.#revert(entry, deployment, "revert", because));
  }

  disarm(service: string, deployment: string): Promise<void> {
    const entry = this.#entry(service);
    if (entry.live?.deployment === deployment) entry.live = { ...entry.live, revertTo: null };
    return Promise.resolve();
  }

  /** The order is remembered, so that nothing older comes back. */
  remove = async (service: string, { fence }: ActContext): Promise<void> => {
    this.#throwIfDown();
    const entry = this.#entry(service);
    const { live } = entry;
    if (live === null) return Promise.resolve();
    if (fence < live.fence) throw new TealError("fenced", `${String(fence)} is below ${String(live.fence)}`);
    const nothing = { deployment: null, weights: {}, backends: [], revertTo: null };
    entry.live = { ...live, ...nothing, fence, generation: live.generation + 1 };
    return Promise.resolve();
  };

  watch(listener: (sample: TrafficSample) => void, signal: AbortSignal): void {
    this.#samples.add(listener);
    signal.addEventListener("abort", () => this.#samples.delete(listener), { once: true });
  }

  notices(listener: (notice: TrafficNotice) => void, signal: AbortSignal): void {
    this.#notices.add(listener);
    signal.addEventListener("abort", () => this.#notices.delete(listener), { once: true });
  }

  /** It is started anew: it counts from zero. */
  startAnew(): void {
    this.#epoch = { epoch: `${this.#epoch.epoch}+`, since: this.now() };
    this.#counters.clear();
  }

  /** Counts requests of an environment, and tells at once. */
  count(service: string, environment: string, more: Counted): void {
    this.countAll(service, { [environment]: more });
  }

  /** Of several environments in one reading. */
  countAll(service: string, counted: Readonly<Record<string, Counted>>): void {
    for (const [environment, more] of Object.entries(counted)) {
      const before = this.#counters.get(environment) ?? NO_COUNTS;
      this.#counters.set(environment, {
        ...before,
        requests: before.requests + more.requests,
        failures: before.failures + more.failures,
        latency: before.latency.map((n, i) => (i === 10 ? n + more.requests : n)),
        ...clientsOf(before, more),
      });
    }
    const environments = Object.fromEntries(this.#counters);
    for (const listener of this.#samples) listener({ service, ...this.#epoch, at: this.now(), environments });
  }

  /** Tells of users who were counted in a window. */
  users(service: string, users: UsersWindow): void {
    const environments = Object.fromEntries(this.#counters);
    for (const listener of this.#samples) listener({ service, ...this.#epoch, at: this.now(), environments, users });
  }

  /** A power cut before the newest split of a service had reached the disk: the one before is live again. */
  loseNewest(service: string): void {
    const entry = this.#entry(service);
    const before = this.applied.filter((change) => change.service === service && change !== entry.live).at(-1);
    entry.live = before ?? null;
  }

  /** What a data plane does when its controller is silent for too long. */
  loseController(service: string, cause: Latch["cause"] = "controller-loss"): void {
    const entry = this.#entry(service);
    const deployment = entry.live?.deployment;
    if (deployment == null || entry.live?.revertTo == null) return;
    const split = this.#revert(entry, deployment, cause);
    if (split === null) return;
    for (const listener of this.#notices) listener({ kind: "reverted", service, deployment, split, cause });
  }

  /** Invariant 11: not to an environment without a healthy instance while another has one. */
  #revert(entry: Entry, deployment: string, cause: Latch["cause"], because?: RollbackCause): TrafficSplit | null {
    const { live } = entry;
    const isArmed = live?.deployment === deployment && live.revertTo !== null;
    if (!entry.latched.some((latch) => latch.deployment === deployment))
      entry.latched.push({ deployment, fence: isArmed ? live.fence : 0, at: 0, cause, because });
    if (live?.deployment !== deployment || live.revertTo === null) return null;
    const revertTo = live.revertTo;
    const target = Object.keys(revertTo).find((name) => revertTo[name] === 100);
    const healthy = live.backends
      .filter(({ instances }) => instances.some(({ id }) => !this.unhealthy.has(id)))
      .map(({ environment }) => environment);
    const worse = target !== undefined && !healthy.includes(target) && healthy.length > 0;
    // It stays armed where it keeps the split: told again, it looks again.
    if (worse) return splitOf(live);
    const back = { ...live, revertTo: null, weights: revertTo, generation: live.generation + 1 };
    entry.live = back;
    return splitOf(back);
  }

  /** As a data plane whose disk was lost. */
  forgetMaintenance(service: string): void {
    this.#entry(service).maintenance = null;
  }

  tell(notice: TrafficNotice): void {
    for (const listener of this.#notices) listener(notice);
  }

  #throwIfDown(): void {
    if (this.down !== null) throw this.down;
  }

  #entry(service: string): Entry {
    let entry = this.#entries.get(service);
    if (entry === undefined) {
      entry = { live: null, latched: [], maintenance: null };
      this.#entries.set(service, entry);
    }
    return entry;
  }
}

function splitOf({ fence, generation, weights }: TrafficChange): TrafficSplit {
  return { fence, generation, weights };
}

function clientsOf({ clients: before }: TrafficCounters, { clients: more }: Counted): Pick<TrafficCounters, "clients"> {
  if (more === undefined) return before === undefined ? {} : { clients: before };
  return {
    clients: { failing: (before?.failing ?? 0) + more.failing, repeats: (before?.repeats ?? 0) + more.repeats },
  };
}

function receiptOf(change: TrafficChange, from: Receipt["from"]): Receipt {
  const { service, deployment, generation, weights } = change;
  const none = { inFlight: 0, drained: 0, held: 0, retried: 0, rescued: 0, cut: 0, failed: 0, kernelRefused: 0 };
  return { service, deployment, generation, from, to: weights, at: 0, ...none, final: true };
}
