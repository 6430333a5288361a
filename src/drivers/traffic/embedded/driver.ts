import type { RollbackCause } from "../../../model/deployment.ts";
import { addConnections, type ConnectionCounts, NO_CONNECTIONS } from "../../../model/connections.ts";
import type { MaintenanceOrder } from "../../../model/maintenance.ts";
import type { Clock, Milliseconds } from "../../../model/time.ts";
import { compareOrder, type Receipt, type TrafficSample, type TrafficSplit } from "../../../model/traffic.ts";
import type { ActContext } from "../../../ports/context.ts";
import type {
  MaintenanceChange,
  ToldObservation,
  TrafficChange,
  TrafficDriver,
  TrafficNotice,
  TrafficObservation,
} from "../../../ports/traffic.ts";
import type { KeeperProtocol } from "../../../wire/keeper.ts";
import type { CallOptions } from "../../../wire/peer.ts";
import type { Notice, Params } from "../../../wire/protocol.ts";
import type { ProxyProtocol, ServiceTable } from "../../../wire/proxy.ts";
import type { ReconnectingPeer } from "../../../wire/reconnecting.ts";
import { mergeObservations, mergeReceipts } from "./merge.ts";
import { type ProxyLink, ProxySet } from "./proxy-set.ts";
import { ReceiptBook } from "./receipts.ts";

/** Longest wait where the caller's signal is the only limit. */
const CALL_MS: Milliseconds = 10_000;

export interface EmbeddedTrafficOptions {
  /** A connection to the keeper of this state directory; the owner closes it. */
  readonly keeper: ReconnectingPeer<KeeperProtocol>;
  readonly clock: Clock;
}

/** Teal's own data plane: the proxies of this machine, however many live at a time. */
export class EmbeddedTraffic implements TrafficDriver {
  readonly name = "embedded";
  readonly #clock: Clock;
  readonly #proxies: ProxySet;
  readonly #receipts: ReceiptBook;
  /** The newest change of each service, to bring a proxy up to date that comes with an older snapshot. */
  readonly #changes = new Map<string, ServiceTable>();
  /** The newest order of maintenance of each service, for the same. */
  readonly #maintenance = new Map<string, Params<ProxyProtocol, "maintain">>();
  /** The newest reverted deployment of each service, for the same. */
  readonly #reverts = new Map<string, Params<ProxyProtocol, "revert">>();
  readonly #ownReverts = new Set<string>();
  readonly #connections = new Map<number, ConnectionCounts>();
  /** Of processes that have gone: what was counted does not become less. */
  #formerConnections = NO_CONNECTIONS;
  readonly #sampleListeners = new Set<(sample: TrafficSample) => void>();
  readonly #noticeListeners = new Set<(notice: TrafficNotice) => void>();
  readonly #told = new Set<string>();

  constructor({ keeper, clock }: EmbeddedTrafficOptions) {
    this.#clock = clock;
    this.#receipts = new ReceiptBook((receipt) => {
      this.#tell({ kind: "receipt", receipt });
    });
    this.#proxies = new ProxySet({
      keeper,
      clock,
      onConnected: (link) => void this.#bringUpToDate(link),
      onGone: (pid) => {
        this.#forgetConnections(pid);
        this.#receipts.gone(pid);
      },
    });
    this.#listen();
  }

  async observe(service: string, signal: AbortSignal): Promise<TrafficObservation> {
    const question = { service, follow: true };
    const [main, ...others] = await this.#proxies.call("observe", question, { signal, timeoutMs: CALL_MS });
    return mergeObservations(main, others);
  }

  /** Others than the one that stays count only for what is in flight. */
  told(service: string): ToldObservation | null {
    const [main] = this.#proxies.connected;
    return main?.told.of(service) ?? null;
  }

  async apply(change: TrafficChange, context: ActContext): Promise<Receipt> {
    const table = toTable(change);
    const receipts = await this.#proxies.callWithStarting("apply", table, this.#limits(context));
    const known = this.#changes.get(change.service);
    if (known === undefined || compareOrder(change, known) >= 0) this.#changes.set(change.service, table);
    return mergeReceipts(receipts);
  }

  async revert(
    service: string,
    deployment: string,
    signal: AbortSignal,
    because?: RollbackCause,
  ): Promise<TrafficSplit | null> {
    const order = { service, deployment, ...(because === undefined ? {} : { because: { ...because } }) };
    this.#reverts.set(service, order);
    this.#ownReverts.add(`${service} ${deployment}`);
    const answers = await this.#proxies.call("revert", order, { signal, timeoutMs: CALL_MS });
    return answers.find(({ split }) => split !== null)?.split ?? null;
  }

  async disarm(service: string, deployment: string, context: ActContext): Promise<void> {
    await this.#proxies.call("disarm", { service, deployment, fence: context.fence }, this.#limits(context));
    const known = this.#changes.get(service);
    if (known?.deployment === deployment) this.#changes.set(service, { ...known, revertTo: null });
  }

  async maintain({ order, ...change }: MaintenanceChange, context: ActContext): Promise<void> {
    const params = { ...change, order: toOrder(order) };
    await this.#proxies.call("maintain", params, this.#limits(context));
    this.#maintenance.set(change.service, { ...params, close: false });
  }

  async remove(service: string, context: ActContext): Promise<void> {
    // Nothing is left to bring one up to date that comes later.
    await this.#proxies.callWithStarting("remove", { service, fence: context.fence }, this.#limits(context));
    this.#changes.delete(service);
  }

  watch(listener: (sample: TrafficSample) => void, signal: AbortSignal): void {
    subscribe(this.#sampleListeners, listener, signal);
  }

  connections(): ConnectionCounts {
    return [...this.#connections.values()].reduce(addConnections, this.#formerConnections);
  }

  notices(listener: (notice: TrafficNotice) => void, signal: AbortSignal): void {
    subscribe(this.#noticeListeners, listener, signal);
    // What was connected before anybody listened has to be read back as well.
    if (!signal.aborted && this.#proxies.connected.length > 0) listener({ kind: "connected" });
  }

  /** Ends the connections to the proxies; they go on as they are. */
  close(): void {
    this.#proxies.close();
  }

  #forgetConnections(pid: number): void {
    const gone = this.#connections.get(pid);
    if (gone === undefined) return;
    this.#connections.delete(pid);
    this.#formerConnections = addConnections(this.#formerConnections, { ...gone, open: 0 });
  }

  #listen(): void {
    this.#proxies.onNotice("sample", ({ samples, connections }, { pid, startedAt: since }) => {
      if (connections !== undefined) this.#connections.set(pid, connections);
      // Each by itself: their counts began at different times, and only who adds them up knows since when it does.
      for (const sample of samples) for (const listener of this.#sampleListeners) listener({ ...sample, since });
    });
    this.#proxies.onNotice("receipt", (receipt, { pid }) => {
      const made = this.#proxies.connected.filter(({ connectedAt }) => (connectedAt ?? Infinity) <= receipt.at);
      this.#receipts.final(
        pid,
        receipt,
        made.map((link) => link.pid),
      );
    });
    this.#proxies.onNotice("observed", ({ service, observation }, { told }) => {
      told.note(service, observation);
    });
    this.#proxies.onNotice("reverted", (notice) => {
      this.#reverted(notice);
    });
  }

  /** Told once, however many proxies did it; what this driver asked for is no news. */
  #reverted(notice: Notice<ProxyProtocol, "reverted">): void {
    const { service, deployment, split } = notice;
    if (this.#reverts.get(service)?.deployment !== deployment) this.#reverts.set(service, { service, deployment });
    const key = `${service} ${deployment} ${String(split.generation)}`;
    if (this.#told.has(key) || this.#ownReverts.has(`${service} ${deployment}`)) return;
    this.#told.add(key);
    this.#tell({ kind: "reverted", ...notice });
  }

  #tell(notice: TrafficNotice): void {
    for (const listener of this.#noticeListeners) listener(notice);
  }

  /** A proxy that has just come serves what its snapshot said; what was changed meanwhile it gets here. */
  async #bringUpToDate({ peer }: ProxyLink): Promise<void> {
    for (const [service, table] of this.#changes) await this.#catchUp(peer, service, table);
    // One that knows better refuses it.
    for (const params of this.#maintenance.values()) await peer.call("maintain", params).catch(() => undefined);
    this.#tell({ kind: "connected" });
  }

  async #catchUp(peer: ProxyLink["peer"], service: string, table: ServiceTable): Promise<void> {
    try {
      const { split } = await peer.call("observe", { service });
      if (split === null || compareOrder(split, table) < 0) await peer.call("apply", table);
      const revert = this.#reverts.get(service);
      const { armed } = await peer.call("observe", { service });
      // Only what is armed: the latch of an old deployment would shut out the fence of the one that is under way.
      if (revert !== undefined && armed?.deployment === revert.deployment) await peer.call("revert", revert);
      // Or it would take back, when the server is silent for long, what has long been finished.
      else if (armed !== null && armed.deployment === table.deployment && table.revertTo === null)
        await peer.call("disarm", { service, deployment: armed.deployment, fence: table.fence });
    } catch {
      // It knows better (a revert of its own), or is gone again: `connected` makes the engine read back in either case.
    }
  }

  #limits({ signal, deadline }: ActContext): Required<CallOptions> {
    return { signal, timeoutMs: Math.max(1, deadline - this.#clock.monotonic()) };
  }
}

function subscribe<T>(listeners: Set<T>, listener: T, signal: AbortSignal): void {
  if (signal.aborted) return;
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
}

function toOrder({ page, allow, ...order }: MaintenanceOrder): Params<ProxyProtocol, "maintain">["order"] {
  return { ...order, page: page === null ? null : { ...page }, allow: [...allow] };
}

function toTable(change: TrafficChange): ServiceTable {
  const { service, fence, generation, deployment, weights, revertTo, traffic, health } = change;
  const { driver, drainMs, longLivedMs, onControllerLoss, affinity, usersWindowMs } = traffic;
  return {
    service,
    fence,
    generation,
    deployment,
    weights: { ...weights },
    backends: change.backends.map(({ environment, release, instances, health: ofBackend }) => ({
      environment,
      release,
      instances: instances.map(({ id, address }) => ({ id, address })),
      health: ofBackend,
    })),
    revertTo: revertTo === null ? null : { ...revertTo },
    traffic: {
      driver,
      hosts: [...traffic.hosts],
      paths: [...traffic.paths],
      drainMs,
      longLivedMs,
      onControllerLoss,
      ...(affinity === undefined ? {} : { affinity }),
      ...(usersWindowMs === undefined ? {} : { usersWindowMs }),
    },
    health,
  };
}
