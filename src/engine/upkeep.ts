import { TealError, toTealError } from "../model/error.ts";
import type { Release } from "../model/release.ts";
import type { Milliseconds } from "../model/time.ts";
import type { TrafficNotice } from "../ports/traffic.ts";
import type { ServiceRow } from "../store/store.ts";
import type { MaintenanceDesk } from "./maintenance.ts";
import { inParallel } from "./parallel.ts";
import { driverOf, type EngineParts } from "./parts.ts";
import { scaled } from "./scaled.ts";
import { runsAnother } from "./survey.ts";
import type { TrafficDesk } from "./traffic-desk.ts";

const ACT_MS: Milliseconds = 30_000;

/**
 * Keeps the world as the record wishes between deployments: starts what is to run and does not, and tells the data plane
 * where instances are when they come up. It never changes weights.
 */
export class Upkeep {
  readonly #parts: EngineParts;
  readonly #desk: TrafficDesk;
  readonly #maintenance: MaintenanceDesk;
  readonly #stop: AbortSignal;
  /** Services with a refresh under way, and whether another one is wanted after it. */
  readonly #refreshing = new Map<string, boolean>();

  constructor(parts: EngineParts, desks: { desk: TrafficDesk; maintenance: MaintenanceDesk }, stop: AbortSignal) {
    this.#parts = parts;
    this.#desk = desks.desk;
    this.#maintenance = desks.maintenance;
    this.#stop = stop;
  }

  listen(): void {
    const { hub } = this.#parts;
    hub.subscribe(
      "instance",
      ({ service, environment, instance }) => {
        void this.#tell(service, environment, { ...instance });
        if (instance.state === "ready") this.refresh(service);
        if (instance.state === "stopped" && instance.code === "keeper-down") void this.#restart(service, environment);
      },
      this.#stop,
    );
    hub.subscribe("notice", (notice) => void this.#noticed(notice), this.#stop);
  }

  /**
   * Starts every environment (or `only` that one) that is to run whole and does not. What cannot be started is told, and does
   * not stop the rest.
   */
  async ensureRunning(service: string, only?: string): Promise<void> {
    const { store, environments, configuration } = this.#parts;
    const records = (await store.environments(service)).filter(({ name }) => only === undefined || name === only);
    await inParallel(records, records.length, async (record) => {
      if (record.release === null || record.desired === "stopped") return;
      const stored = await store.release(service, record.release);
      if (stored === null) return;
      const release = scaled(stored, record);
      await this.#guarded(service, `starting ${record.name}`, async () => {
        const driver = driverOf(environments, release.spec.environment.driver);
        const seen = await driver.observe(service, record.name, this.#limit());
        if (seen.release === release.id && seen.instances.length >= release.spec.environment.count) return;
        if (runsAnother(release, seen)) await this.#throwIfItServes(release, record.name, seen.release);
        await this.#throwIfFilesAreGone(release);
        const variables = await configuration.resolve(release.spec.environment);
        await driver.start(
          { service, environment: record.name, release, variables },
          await this.#context(service, `start-${record.name}`),
        );
      });
    });
  }

  /**
   * An instance that ended while nobody watched it: whoever watches now cannot start it. Without traffic, an environment of a
   * deployment under way may be about to be stopped: that is the deployment's.
   */
  #restart(service: string, environment: string): Promise<void> {
    return this.#guarded(service, `starting what ended of ${environment}`, async () => {
      const { store } = this.#parts;
      const [[unfinished], row] = await Promise.all([store.unfinished(service), store.service(service)]);
      if (unfinished === undefined || (row?.weights[environment] ?? 0) > 0)
        await this.ensureRunning(service, environment);
    });
  }

  /** Stops what a person had stopped when a crash came in between. Not while a deployment is under way: that does it itself. */
  async ensureStopped({ service, weights }: ServiceRow): Promise<void> {
    const { store, environments } = this.#parts;
    for (const record of await store.environments(service)) {
      if (record.release === null || record.desired === "running" || (weights[record.name] ?? 0) > 0) continue;
      const release = await store.release(service, record.release);
      if (release === null) continue;
      await this.#guarded(service, `stopping ${record.name}`, async () => {
        const driver = driverOf(environments, release.spec.environment.driver);
        const { instances } = await driver.observe(service, record.name, this.#limit());
        if (instances.length === 0) return;
        await driver.stop(service, record.name, await this.#context(service, `stop-${record.name}`));
      });
    }
  }

  /** The maintenance that is on record, for a data plane that may have lost it. */
  ensureMaintenance(service: string): Promise<void> {
    return this.#guarded(service, "telling the data plane of maintenance", () => this.#maintenance.ensure(service));
  }

  /** Tells the data plane where the instances are; many wishes at once become one or two. */
  refresh(service: string): void {
    if (this.#refreshing.has(service)) {
      this.#refreshing.set(service, true);
      return;
    }
    this.#refreshing.set(service, false);
    void this.#refreshUntilQuiet(service);
  }

  async #refreshUntilQuiet(service: string): Promise<void> {
    do {
      this.#refreshing.set(service, false);
      await this.#guarded(service, "telling the data plane where the instances are", async () => {
        await this.#desk.refresh(service, null, await this.#context(service, "refresh"));
      });
    } while (this.#refreshing.get(service) === true && !this.#stop.aborted);
    this.#refreshing.delete(service);
  }

  /**
   * Another release runs there than the one on record, as after the restore of an older database. What has traffic is not
   * replaced by what nobody has asked for now. @throws `drift`
   */
  async #throwIfItServes(release: Release, environment: string, running: string | null): Promise<void> {
    const { split } = await this.#desk.driver(release).observe(release.service, this.#limit());
    if ((split?.weights[environment] ?? 0) === 0) return;
    throw new TealError(
      "drift",
      `${running ?? "another release"} has traffic, on record is ${release.id}: it is left`,
      {
        remedy: "Deploy the version that is to serve: it goes to the other environment.",
      },
    );
  }

  async #throwIfFilesAreGone(release: Release): Promise<void> {
    if (release.spec.release.kind === "none" || (await this.#parts.releases.exists(release.service, release.id)))
      return;
    throw new TealError("release-missing", `the folder of ${release.id} is gone: ${release.directory}`);
  }

  async #noticed(notice: TrafficNotice): Promise<void> {
    const { store, journal } = this.#parts;
    switch (notice.kind) {
      case "receipt":
        await this.#guarded(notice.receipt.service, "keeping a receipt", async () => {
          const { receipt } = notice;
          if (!(await this.#desk.isNews(receipt))) return;
          await store.putReceipt(receipt);
          const about = {
            service: receipt.service,
            ...(receipt.deployment === null ? {} : { deployment: receipt.deployment }),
          };
          await journal.append(journal.event("receipt", { ...receipt }, about));
        });
        return;
      case "connected":
        for (const { service } of await store.services()) {
          void this.ensureMaintenance(service);
          this.refresh(service);
        }
        return;
      case "reverted":
        // The deployment's own run hears this too, and takes itself back.
        return;
      default:
        notice satisfies never;
    }
  }

  #tell(service: string, environment: string, data: Record<string, unknown>): Promise<void> {
    const { journal } = this.#parts;
    return this.#guarded(service, "keeping an event", () =>
      journal.append(journal.event("instance", { ...data, environment }, { service })),
    );
  }

  /** Upkeep has nobody who waits for its answer: what fails is logged, and said as an event when the store is there. */
  async #guarded(service: string, doing: string, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (thrown) {
      if (this.#stop.aborted) return;
      const problem = toTealError(thrown);
      this.#parts.report(problem, { service, doing });
      if (problem.code === "store-failed" || problem.code === "fenced") return;
      const { journal } = this.#parts;
      const data = { code: problem.code, message: `${doing}: ${problem.message}`, remedy: problem.remedy };
      await journal.append(journal.event("warning", data, { service })).catch((failed: unknown) => {
        this.#parts.report(toTealError(failed), { service, doing: "keeping a warning" });
      });
    }
  }

  #limit(): AbortSignal {
    return AbortSignal.any([this.#stop, AbortSignal.timeout(ACT_MS)]);
  }

  async #context(service: string, what: string) {
    const fence = (await this.#parts.store.service(service))?.fence ?? 0;
    const deadline = this.#parts.clock.monotonic() + ACT_MS;
    return { signal: this.#limit(), fence, idempotencyKey: `upkeep/${service}/${what}`, attempt: 1, deadline };
  }
}
