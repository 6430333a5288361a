import type { Deployment } from "../model/deployment.ts";
import { TealError, toTealError } from "../model/error.ts";
import type { Release } from "../model/release.ts";
import type { Milliseconds } from "../model/time.ts";
import type { TrafficDriver } from "../ports/traffic.ts";
import type { ServiceRow } from "../store/store.ts";
import { aboutOf } from "./about.ts";
import { readBack } from "./by-hand.ts";
import type { Control } from "./control.ts";
import { Controller } from "./controller.ts";
import { Delivery } from "./delivery.ts";
import { Fleet } from "./fleet.ts";
import { MaintenanceDesk } from "./maintenance.ts";
import { inParallel } from "./parallel.ts";
import { driverOf, type EngineParts } from "./parts.ts";
import { KeyedMutex } from "./mutex.ts";
import { keepRetiring } from "./retirements.ts";
import { TrafficRecorder } from "./traffic-recorder.ts";
import { TrafficDesk } from "./traffic-desk.ts";
import { takeBackUnknown } from "./unknown-shift.ts";
import { Upkeep } from "./upkeep.ts";

/** How long the start waits for the data plane, to learn the fence that it knows. */
const OBSERVE_MS: Milliseconds = 15_000;
/** Services that are started again at the same time. */
const AT_ONCE = 16;
/** Ended deployments keep their steps and events this long. */
const KEEP_RECORDS_MS: Milliseconds = 90 * 24 * 3_600_000;

/** The durable engine: recovers what was under way, then runs what is asked. */
export class Engine {
  readonly control: Control;
  readonly #parts: EngineParts;
  readonly #stop = new AbortController();
  readonly #desk: TrafficDesk;
  readonly #fleet: Fleet;
  readonly #queue = new KeyedMutex();
  readonly #upkeep: Upkeep;
  readonly #maintenance: MaintenanceDesk;
  readonly #recorder: TrafficRecorder;
  readonly #delivery: Delivery;
  #keeping: Promise<unknown> = Promise.resolve();

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const stop = this.#stop.signal;
    this.#desk = new TrafficDesk(parts);
    this.#recorder = new TrafficRecorder(parts, this.#desk.steady);
    this.#fleet = new Fleet(parts, this.#desk, stop);
    const maintenance = new MaintenanceDesk(parts, stop);
    this.#maintenance = maintenance;
    this.#upkeep = new Upkeep(parts, { desk: this.#desk, maintenance }, stop);
    this.#delivery = new Delivery(parts, stop);
    this.control = new Controller(parts, {
      traffic: this.#desk,
      fleet: this.#fleet,
      maintenance,
      queue: this.#queue,
      delivery: this.#delivery,
    });
  }

  /** Claims every service, starts what is to run, and goes on with every deployment that had not ended. */
  async start(about: Readonly<Record<string, unknown>>): Promise<void> {
    const { store, journal, configuration, clock } = this.#parts;
    const stop = this.#stop.signal;
    this.#wire(stop);
    const unfinished = await store.unfinished();
    await journal.append(journal.event("server-started", { ...about, recovered: unfinished.length }));
    const recorded = (await store.services()).map(({ service }) => service);
    const rows: ServiceRow[] = [];
    for (const service of new Set([...configuration.services(), ...recorded])) rows.push(await this.#claim(service));
    // Not before every fence is ours: what upkeep does under an older one would be refused.
    this.#upkeep.listen();
    this.#delivery.listen();
    // Beside the rest, as the data plane may not be there yet: it is told again when it is.
    for (const { service } of rows) void this.#upkeep.ensureMaintenance(service);
    await inParallel(rows, AT_ONCE, async (row) => {
      const { service } = row;
      await this.#takeBackUnknown(row);
      await this.#upkeep.ensureRunning(service);
      const deployment = unfinished.find((candidate) => candidate.service === service);
      if (deployment !== undefined) await this.#resume(deployment, row);
      else {
        await this.#disarm(row);
        await this.#upkeep.ensureStopped(row);
      }
      this.#upkeep.refresh(service);
    });
    this.#keeping = Promise.all([
      keepRetiring(this.#parts, { fleet: this.#fleet, queue: this.#queue }, stop),
      this.#maintenance.keep(),
      this.#delivery.keep(),
    ]);
    const before = clock.now() - KEEP_RECORDS_MS;
    journal.told(await store.prune(before, journal.event("events-pruned", { before })));
  }

  /** Leaves every deployment where it stands: the next start goes on with it. */
  async stop(): Promise<void> {
    this.#stop.abort(new TealError("aborted", "the server is stopping"));
    await Promise.all([this.#fleet.settled(), this.#keeping, this.#recorder.stop()]);
  }

  #wire(stop: AbortSignal): void {
    const { hub, traffic, environments } = this.#parts;
    this.#desk.steady.listen(hub, stop);
    this.#recorder.listen(stop);
    for (const driver of traffic.values()) {
      driver.watch((sample) => {
        hub.publish("sample", sample);
      }, stop);
      driver.notices((notice) => {
        hub.publish("notice", notice);
      }, stop);
    }
    for (const driver of environments.values()) {
      driver.watch((service, environment, instance) => {
        hub.publish("instance", { service, environment, instance });
      }, stop);
    }
  }

  /** A new fence, above the stored one and all that the data plane has seen: a server that was thought dead is refused from now on. */
  async #claim(service: string): Promise<ServiceRow> {
    let observed = 0;
    for (const driver of await this.#trafficDrivers(service)) {
      try {
        const seen = await driver.observe(service, this.#limit());
        observed = Math.max(observed, seen.split?.fence ?? 0, ...seen.latched.map(({ fence }) => fence));
      } catch (thrown) {
        this.#parts.report(toTealError(thrown), { service, doing: "claim" });
      }
    }
    return this.#parts.store.claim(service, observed);
  }

  /** The one that the service has; all of them where nothing is on record, as a database that was lost says nothing. */
  async #trafficDrivers(service: string): Promise<readonly TrafficDriver[]> {
    const { traffic } = this.#parts;
    const release = await this.#anyRelease(service);
    return release === null ? [...traffic.values()] : [driverOf(traffic, release.spec.traffic.driver)];
  }

  async #resume(deployment: Deployment, row: ServiceRow): Promise<void> {
    const release =
      deployment.release === null ? null : await this.#parts.store.release(deployment.service, deployment.release);
    if (release === null) {
      this.#parts.report(
        new TealError("release-missing", `${deployment.id} cannot go on: its release has no record`),
        aboutOf(deployment),
      );
      return;
    }
    await this.#recorder.resume(deployment);
    this.#fleet.start(deployment, release, row.fence);
  }

  async #takeBackUnknown({ service }: ServiceRow): Promise<void> {
    try {
      for (const driver of await this.#trafficDrivers(service))
        await takeBackUnknown(this.#parts, driver, service, this.#limit());
    } catch (thrown) {
      this.#parts.report(toTealError(thrown), { service, doing: "taking back what is not on record" });
    }
  }

  /** A crash between a deployment's last transition and its disarm leaves the data plane armed for something that is done. */
  async #disarm(row: ServiceRow): Promise<void> {
    const { service, fence } = row;
    const release = await this.#anyRelease(service);
    try {
      const signal = this.#limit();
      for (const driver of await this.#trafficDrivers(service)) {
        const seen = await driver.observe(service, signal);
        await readBack(this.#parts, row, seen);
        const { armed } = seen;
        if (armed === null || release === null) continue;
        const deadline = this.#parts.clock.monotonic() + OBSERVE_MS;
        const context = { signal, fence, idempotencyKey: `recover/${service}/disarm`, attempt: 1, deadline };
        await this.#desk.disarm(release, armed.deployment, context);
      }
    } catch (thrown) {
      this.#parts.report(toTealError(thrown), { service, doing: "disarm" });
    }
  }

  async #anyRelease(service: string): Promise<Release | null> {
    const [newest] = await this.#parts.store.releases(service);
    return newest ?? null;
  }

  #limit(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(OBSERVE_MS)]);
  }
}
