import type { EpochMilliseconds } from "../model/time.ts";
import type { TrafficSample, UsersWindow } from "../model/traffic.ts";
import { type CounterReading, readCounters, readModeCounters, SERVICE_CELL, totalFrom } from "./cells.ts";
import type { ServiceState } from "./service-state.ts";

/** With everything that is optional in other data planes. */
export interface ServiceSample extends Required<Omit<TrafficSample, "since" | "users">> {
  readonly users?: UsersWindow;
  readonly environments: Record<string, CounterReading>;
}

/** What is read at one tick of all services. */
interface Tick {
  readonly at: EpochMilliseconds;
  readonly epoch: string;
  /** Windows of users that are over, by service. */
  readonly users: ReadonlyMap<string, UsersWindow>;
}

/** The service's counters as they stand. */
export function sampleOf(service: ServiceState, { at, epoch, users }: Tick): ServiceSample {
  const { name, cell, counters, mode, modeCounters, switches, table } = service;
  const window = users.get(name);
  const countsUsers = table?.traffic.affinity !== undefined;
  return {
    service: name,
    epoch,
    at,
    switches,
    ...(window === undefined ? {} : { users: window }),
    maintenance: {
      mode: mode?.mode ?? "off",
      ...readModeCounters(modeCounters),
      waiting: totalFrom(cell, SERVICE_CELL.held),
    },
    environments: Object.fromEntries(
      [...counters].map(([environment, counted]) => [environment, readCounters(counted, countsUsers)]),
    ),
  };
}
