import { TealError, toTealError } from "../model/error.ts";
import type { MaintenanceOrder, MaintenanceRecord } from "../model/maintenance.ts";
import type { Release } from "../model/release.ts";
import type { Milliseconds } from "../model/time.ts";
import type { ActContext } from "../ports/context.ts";
import type { TrafficDriver } from "../ports/traffic.ts";
import type { Transition } from "../store/store.ts";
import type { MaintenanceOutcome, MaintenanceRequest } from "./control.ts";
import { Elapsed } from "./elapsed.ts";
import { makeOrder, OFF } from "./maintenance-order.ts";
import { KeyedMutex } from "./mutex.ts";
import { driverOf, type EngineParts } from "./parts.ts";

/** Longest that the data plane may take. */
const ACT_MS: Milliseconds = 10_000;
/** Times that an act is begun: the service's fence may rise meanwhile, with each deployment that is taken back. */
const TRIES = 5;
/** How often holds that have come to their end are looked for; the data plane ended them on time. */
const LOOK_EVERY_MS: Milliseconds = 1_000;

/** What is asked of a service, and of the driver that does it. */
interface Wish extends Pick<MaintenanceRequest, "by" | "reason" | "close"> {
  readonly service: string;
  readonly driver: TrafficDriver;
  readonly order: MaintenanceOrder;
  readonly warnings: readonly string[];
}

interface Told {
  readonly driver: TrafficDriver;
  readonly record: MaintenanceRecord;
  readonly fence: number;
  /** Of the record's order, where it was made here. */
  readonly elapsed?: Elapsed;
}

interface Known extends Told {
  readonly elapsed: Elapsed;
}

/**
 * The one writer of each service's maintenance. It has a mutex of its own and needs no deployment: it works beside one,
 * and while its traffic is being changed.
 */
export class MaintenanceDesk {
  readonly #parts: EngineParts;
  readonly #stop: AbortSignal;
  readonly #mutex = new KeyedMutex();
  /** What the data plane was given last, by service: off has to work when the store does not. */
  readonly #known = new Map<string, Known>();

  constructor(parts: EngineParts, stop: AbortSignal) {
    this.#parts = parts;
    this.#stop = stop;
  }

  /**
   * Journals what is asked, then tells the data plane; a caller who goes away does not stop it half-way. The same again
   * changes nothing, but that a hold begins anew.
   * @throws `service-unknown`, `no-release`, `unsupported`, `data-plane-down`
   */
  order(service: string, request: MaintenanceRequest): Promise<MaintenanceOutcome> {
    return this.#mutex.run(service, async () => {
      try {
        return await this.#order(service, request);
      } catch (thrown) {
        const known = this.#known.get(service);
        const isWithoutStore = toTealError(thrown).code === "store-failed" && known !== undefined;
        if (request.mode !== "off" || !isWithoutStore) throw thrown;
        return this.#offFirst(service, known, request);
      }
    });
  }

  /** Tells a data plane what is on record, as it may have lost it. */
  ensure(service: string): Promise<void> {
    return this.#mutex.run(service, async () => {
      const record = await this.#parts.store.maintenance(service);
      const driver = await this.#driver(service);
      if (record === null || driver?.maintain === undefined) return;
      await this.#underNewestFence(service, (fence) => this.#send(service, { driver, record, fence }, false));
    });
  }

  /** Writes down the end of each hold that came to it by itself. Runs until the engine stops. */
  async keep(): Promise<void> {
    const { clock, report } = this.#parts;
    for (;;) {
      try {
        await clock.sleep(LOOK_EVERY_MS, this.#stop);
      } catch {
        // The engine stops: that is the end of this loop, not a failure.
        return;
      }
      for (const [service, known] of this.#known) {
        if (!isOver(known)) continue;
        await this.#mutex
          .run(service, () => this.#end(service, known.record.revision))
          .catch((thrown: unknown) => {
            if (!this.#stop.aborted) report(toTealError(thrown), { service, doing: "ending a hold" });
          });
      }
    }
  }

  async #order(service: string, request: MaintenanceRequest): Promise<MaintenanceOutcome> {
    const { by, reason, close, mode } = request;
    const release = await this.#release(service);
    if (release === null && mode !== "off") throw new TealError("no-release", `${service} has no release yet`);
    const driver = await this.#driver(service);
    if (release === null || driver === null || (driver.maintain === undefined && mode === "off")) {
      return { service, record: this.#next(null, { order: OFF, by, reason }), changed: false, warnings: [] };
    }
    if (driver.maintain === undefined) {
      throw new TealError("unsupported", `the traffic driver ${driver.name} of ${service} has no maintenance`);
    }
    const { order, warnings } = await makeOrder(this.#parts, release, request);
    return this.#put({ service, driver, order, by, reason, close, warnings });
  }

  async #end(service: string, revision: number): Promise<void> {
    const record = await this.#parts.store.maintenance(service);
    const driver = await this.#driver(service);
    if (driver === null || record?.revision !== revision) return;
    const order = { ...record.order, mode: record.order.endsIn, until: null };
    const reason = "nobody ended the hold in its time";
    await this.#put({ service, driver, order, by: "teal", reason, close: false, warnings: [] });
  }

  #put(wish: Wish): Promise<MaintenanceOutcome> {
    const { service, driver, warnings } = wish;
    return this.#underNewestFence(service, async (fence) => {
      const before = await this.#parts.store.maintenance(service);
      const changed = before === null || JSON.stringify(before.order) !== JSON.stringify(wish.order);
      const elapsed = new Elapsed(this.#parts.clock);
      const record = changed ? this.#next(before, wish, elapsed.begin()) : before;
      if (changed) await this.#parts.journal.transition(this.#entry(service, fence, { before, record, warnings }));
      await this.#send(service, { driver, record, fence, ...(changed ? { elapsed } : {}) }, wish.close);
      return { service, record, changed, warnings };
    });
  }

  /** Off gives the app its requests back, so it may come before its record, as a revert may; that is tried until it is written. */
  async #offFirst(
    service: string,
    known: Known,
    { by, reason, close }: MaintenanceRequest,
  ): Promise<MaintenanceOutcome> {
    const { record: before, fence } = known;
    const warnings = ["the store does not take it down now: that is tried until it does"];
    const record = this.#next(before, { order: OFF, by, reason });
    await this.#send(service, { ...known, record }, close);
    const { journal, report } = this.#parts;
    const entry = this.#entry(service, fence, { before, record, warnings });
    journal.transitionUntilWritten(entry, this.#stop).catch((thrown: unknown) => {
      if (!this.#stop.aborted) report(toTealError(thrown), { service, doing: "keeping the end of maintenance" });
    });
    return { service, record, changed: true, warnings };
  }

  #next(
    before: MaintenanceRecord | null,
    { order, by, reason }: Pick<MaintenanceRecord, "order" | "by" | "reason">,
    since = this.#parts.clock.now(),
  ): MaintenanceRecord {
    return { revision: (before?.revision ?? 0) + 1, order, since, by, reason };
  }

  #entry(
    service: string,
    fence: number,
    what: { before: MaintenanceRecord | null; record: MaintenanceRecord; warnings: readonly string[] },
  ): Omit<Transition, "at"> {
    const { before, record, warnings } = what;
    const { by, reason, order } = record;
    const { mode, until, endsIn } = order;
    const data = { mode, from: before?.order.mode ?? "off", until, endsIn, by, reason, warnings };
    const event = this.#parts.journal.event("maintenance", data, { service });
    return { service, fence, maintenance: record, events: [event] };
  }

  async #send(service: string, told: Told, close: boolean): Promise<void> {
    const { driver, record, fence } = told;
    const { revision, order } = record;
    const before = this.#known.get(service);
    const known = before?.record.revision === revision ? before.elapsed : told.elapsed;
    const elapsed = known ?? new Elapsed(this.#parts.clock);
    elapsed.since(record.since);
    this.#known.set(service, { ...told, elapsed });
    await driver.maintain?.({ service, fence, revision, order, close }, this.#context(service, fence, revision));
  }

  #context(service: string, fence: number, revision: number): ActContext {
    return {
      signal: AbortSignal.any([this.#stop, AbortSignal.timeout(ACT_MS)]),
      fence,
      idempotencyKey: `maintenance/${service}/${String(revision)}`,
      attempt: 1,
      deadline: this.#parts.clock.monotonic() + ACT_MS,
    };
  }

  async #underNewestFence<T>(service: string, act: (fence: number) => Promise<T>): Promise<T> {
    const { store } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      const { fence } = (await store.service(service)) ?? (await store.claim(service, 0));
      try {
        return await act(fence);
      } catch (thrown) {
        if (toTealError(thrown).code !== "fenced" || tries === TRIES) throw thrown;
      }
    }
  }

  async #driver(service: string): Promise<TrafficDriver | null> {
    const release = await this.#release(service);
    return release === null ? null : driverOf(this.#parts.traffic, release.spec.traffic.driver);
  }

  /** The active release, or else the newest. */
  async #release(service: string): Promise<Release | null> {
    const { store, configuration } = this.#parts;
    const row = await store.service(service);
    if (row === null && !configuration.services().includes(service))
      throw new TealError("service-unknown", `there is no service ${service}`);
    const active = (await store.environments(service)).find(({ name }) => name === row?.active)?.release ?? null;
    const release = active === null ? null : await store.release(service, active);
    return release ?? (await store.releases(service))[0] ?? null;
  }
}

/** Whether its hold has lasted as long as it was to: the same however the wall clock is set meanwhile. */
function isOver({ record: { order, since }, elapsed }: Known): boolean {
  return order.until !== null && elapsed.since(since) >= order.until - since;
}
