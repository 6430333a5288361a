import type {
  EnvironmentDriver,
  EnvironmentObservation,
  EnvironmentTarget,
  LogLine,
} from "../../../ports/environment.ts";
import type { ActContext } from "../../../ports/context.ts";
import { isErrorCode } from "../../../model/catalogue.ts";
import type { InstanceStatus } from "../../../model/environment.ts";
import { TealError } from "../../../model/error.ts";
import type { Clock, Milliseconds } from "../../../model/time.ts";
import type { InstanceReport, KeeperProtocol } from "../../../wire/keeper.ts";
import type { StatePaths } from "../../../wire/paths.ts";
import type { ReconnectingPeer } from "../../../wire/reconnecting.ts";
import { environmentLogs } from "./logs.ts";
import type { EnvironmentSpec } from "../../../model/service.ts";
import { processCautions } from "./cautions.ts";
import { observation, toStatus } from "./observation.ts";
import { instanceSpecs } from "./specs.ts";
import { ToldInstances } from "./told-instances.ts";

export interface ProcessDriverOptions {
  /** A connection to the keeper of this state directory; the owner closes it. */
  readonly keeper: ReconnectingPeer<KeeperProtocol>;
  readonly paths: StatePaths;
  readonly clock: Clock;
  /** The user that the keeper runs as. */
  readonly uid: number;
  /** Teal's own environment, of which the children get a few names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

type Watcher = (service: string, environment: string, instance: InstanceStatus) => void;

/** Runs environments as processes of this machine, which its keeper starts and watches. */
export class ProcessDriver implements EnvironmentDriver {
  readonly name = "process";
  readonly #options: ProcessDriverOptions;
  readonly #watchers = new Set<Watcher>();
  readonly #told = new ToldInstances();

  constructor(options: ProcessDriverOptions) {
    this.#options = options;
    options.keeper.onNotice("instance", (report) => {
      this.#heard(report);
    });
    options.keeper.onConnected(() => {
      this.#told.isComplete = false;
      void this.#catchUp();
    });
  }

  cautions(spec: EnvironmentSpec): readonly string[] {
    return processCautions(spec, this.#options.uid);
  }

  async start(target: EnvironmentTarget, context: ActContext): Promise<void> {
    const { service, environment, release } = target;
    const specs = instanceSpecs(target, this.#options.environment);
    const wanted = new Set(specs.map(({ id }) => id));
    const present = await this.#list(service, environment, context.signal);
    const surplus = present.filter(({ id }) => !wanted.has(id)).map(({ id }) => id);
    await this.#stop(surplus, context);
    const { instances } = await this.#options.keeper.call(
      "instances.start",
      { instances: specs },
      this.#limits(context),
    );
    const failed = instances.find(({ state }) => state === "failed");
    if (failed === undefined) return;
    const code = failed.code !== null && isErrorCode(failed.code) ? failed.code : "internal";
    throw new TealError(
      code,
      `${service} ${release.version} on ${environment}: ${failed.reason ?? "it could not be started"}`,
    );
  }

  async observe(service: string, environment: string, signal: AbortSignal): Promise<EnvironmentObservation> {
    return observation(environment, await this.#list(service, environment, signal));
  }

  async stop(service: string, environment: string, context: ActContext): Promise<void> {
    const present = await this.#list(service, environment, context.signal);
    await this.#stop(
      present.map(({ id }) => id),
      context,
    );
  }

  watch(listener: Watcher, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#watchers.add(listener);
    signal.addEventListener("abort", () => this.#watchers.delete(listener), { once: true });
  }

  logs(
    service: string,
    environment: string,
    options: { lines: number; follow: boolean; signal: AbortSignal },
  ): AsyncIterable<LogLine> {
    return environmentLogs({ folder: this.#options.paths.logs, service, environment }, options, this.#options.clock);
  }

  async #stop(ids: string[], context: ActContext): Promise<void> {
    if (ids.length > 0) await this.#options.keeper.call("instances.stop", { ids }, this.#limits(context));
  }

  /**
   * The keeper tells of every change before it answers the call that made it, so what it has told is as good as what it
   * would say, and does not wait for a keeper that is busy with other starts.
   */
  async #list(service: string, environment: string, signal: AbortSignal): Promise<readonly InstanceReport[]> {
    if (this.#told.isComplete && this.#options.keeper.connected) return this.#told.of(service, environment);
    const { instances } = await this.#options.keeper.call("instances.list", {}, { signal });
    return instances.filter((instance) => instance.service === service && instance.environment === environment);
  }

  #limits(context: ActContext): { readonly signal: AbortSignal; readonly timeoutMs: Milliseconds } {
    return { signal: context.signal, timeoutMs: Math.max(1, context.deadline - this.#options.clock.monotonic()) };
  }

  #heard(report: InstanceReport): void {
    this.#told.note(report);
    for (const watcher of this.#watchers) watcher(report.service, report.environment, toStatus(report));
  }

  /** Notices of the time without a connection are lost: everything that is there is told again, and what has gone as stopped. */
  async #catchUp(): Promise<void> {
    try {
      const { instances } = await this.#options.keeper.call("instances.list", {});
      const present = new Set(instances.map(({ id }) => id));
      const gone = this.#told.all().filter(({ id }) => !present.has(id));
      for (const report of gone)
        this.#heard({
          ...report,
          state: "stopped",
          code: "keeper-down",
          address: null,
          pid: null,
          reason: "it had ended when the keeper came back",
        });
      for (const report of instances) this.#heard(report);
      this.#told.isComplete = true;
    } catch {
      // The connection has ended again: the next one catches up.
    }
  }
}
