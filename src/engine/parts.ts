import { type Report, TealError } from "../model/error.ts";
import type { Clock, Ids } from "../model/time.ts";
import type { ConfigurationSource } from "../ports/configuration.ts";
import type { EnvironmentDriver } from "../ports/environment.ts";
import type { MetricsDriver } from "../ports/metrics.ts";
import type { ReleaseFolder } from "../ports/release.ts";
import type { TrafficDriver } from "../ports/traffic.ts";
import type { Validator } from "../ports/validation.ts";
import type { Store } from "../store/store.ts";
import type { Hub } from "./hub.ts";
import type { Journal } from "./journal.ts";

/** Everything the engine stands on; put together once, in the composition root. */
export interface EngineParts {
  readonly store: Store;
  /**
   * The same record, past the queue of what runs and beside its writes: for answers that somebody waits for. Reads of it need
   * not be in order with each other, nor with what `store` is writing: nothing may be decided by them. It is closed in place of
   * `store`.
   */
  readonly reads: Store;
  readonly journal: Journal;
  readonly hub: Hub;
  readonly environments: ReadonlyMap<string, EnvironmentDriver>;
  readonly traffic: ReadonlyMap<string, TrafficDriver>;
  readonly metrics: ReadonlyMap<string, MetricsDriver>;
  readonly releases: ReleaseFolder;
  readonly validator: Validator;
  readonly configuration: ConfigurationSource;
  readonly clock: Clock;
  readonly ids: Ids;
  /** For the log: what went wrong where nobody waits for an answer. */
  readonly report: Report;
}

/** The driver of that name. @throws `unsupported`: a stored release names a driver that this version does not have. */
export function driverOf<D>(drivers: ReadonlyMap<string, D>, name: string): D {
  const driver = drivers.get(name);
  if (driver === undefined) {
    throw new TealError("unsupported", `there is no driver ${name}; there are ${[...drivers.keys()].join(", ")}`);
  }
  return driver;
}
