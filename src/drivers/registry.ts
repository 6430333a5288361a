import type { Clock } from "../model/time.ts";
import type { EnvironmentDriver } from "../ports/environment.ts";
import type { TrafficDriver } from "../ports/traffic.ts";
import type { KeeperProtocol } from "../wire/keeper.ts";
import type { StatePaths } from "../wire/paths.ts";
import type { ReconnectingPeer } from "../wire/reconnecting.ts";
import { ProcessDriver } from "./environment/process/driver.ts";
import { EmbeddedTraffic } from "./traffic/embedded/driver.ts";

/** What drivers of this machine stand on. */
export interface DriverParts {
  readonly keeper: ReconnectingPeer<KeeperProtocol>;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly uid: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** THE list of built-in drivers, by the name that teal.yaml gives them. */
const ENVIRONMENT = {
  process: (parts) => new ProcessDriver(parts),
} satisfies Record<string, (parts: DriverParts) => EnvironmentDriver>;

const TRAFFIC = {
  embedded: (parts) => new EmbeddedTraffic(parts),
} satisfies Record<string, (parts: DriverParts) => TrafficDriver>;

export interface Drivers {
  readonly environments: ReadonlyMap<string, EnvironmentDriver>;
  readonly traffic: ReadonlyMap<string, TrafficDriver>;
}

export function makeDrivers(parts: DriverParts): Drivers {
  return {
    environments: new Map(Object.entries(ENVIRONMENT).map(([name, make]) => [name, make(parts)])),
    traffic: new Map(Object.entries(TRAFFIC).map(([name, make]) => [name, make(parts)])),
  };
}
