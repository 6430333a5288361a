import type { Clock } from "../model/time.ts";
import type { EnvironmentDriver } from "../ports/environment.ts";
import type { MetricsDriver } from "../ports/metrics.ts";
import type { TrafficDriver } from "../ports/traffic.ts";
import type { KeeperProtocol } from "../wire/keeper.ts";
import type { StatePaths } from "../wire/paths.ts";
import type { ReconnectingPeer } from "../wire/reconnecting.ts";
import { ProcessDriver } from "./environment/process/driver.ts";
import { CloudWatchMetrics } from "./metrics/cloudwatch/driver.ts";
import type { CloudWatchSdk } from "./metrics/cloudwatch/sdk.ts";
import { HttpMetrics } from "./metrics/http/driver.ts";
import { PrometheusMetrics } from "./metrics/prometheus/driver.ts";
import { EmbeddedTraffic } from "./traffic/embedded/driver.ts";

/** What drivers of this machine stand on. */
export interface DriverParts {
  readonly keeper: ReconnectingPeer<KeeperProtocol>;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly uid: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Loads what is too large to be loaded by everybody. */
  readonly cloudWatch: () => Promise<CloudWatchSdk>;
}

/** THE list of built-in drivers, by the name that teal.yaml gives them. */
const ENVIRONMENT = {
  process: (parts) => new ProcessDriver(parts),
} satisfies Record<string, (parts: DriverParts) => EnvironmentDriver>;

const TRAFFIC = {
  embedded: (parts) => new EmbeddedTraffic(parts),
} satisfies Record<string, (parts: DriverParts) => TrafficDriver>;

const METRICS = {
  prometheus: (parts) => new PrometheusMetrics(parts),
  cloudwatch: ({ clock, cloudWatch }) => new CloudWatchMetrics({ clock, load: cloudWatch }),
  http: (parts) => new HttpMetrics(parts),
} satisfies Record<string, (parts: DriverParts) => MetricsDriver>;

export interface Drivers {
  readonly environments: ReadonlyMap<string, EnvironmentDriver>;
  readonly traffic: ReadonlyMap<string, TrafficDriver>;
  readonly metrics: ReadonlyMap<string, MetricsDriver>;
}

export function makeDrivers(parts: DriverParts): Drivers {
  return {
    environments: new Map(Object.entries(ENVIRONMENT).map(([name, make]) => [name, make(parts)])),
    traffic: new Map(Object.entries(TRAFFIC).map(([name, make]) => [name, make(parts)])),
    metrics: new Map(Object.entries(METRICS).map(([name, make]) => [name, make(parts)])),
  };
}
