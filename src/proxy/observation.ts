import type { MaintenanceMode } from "../model/maintenance.ts";
import type { TrafficSplit, Weights } from "../model/traffic.ts";
import type { Notice } from "../wire/protocol.ts";
import type { LatchRecord, ProxyProtocol } from "../wire/proxy.ts";
import { INSTANCE_CELL, totalFrom } from "./cells.ts";
import type { ServiceState } from "./service-state.ts";

/** What is so of a service at the moment it is asked. */
export interface Observation {
  readonly split: TrafficSplit | null;
  readonly armed: { readonly deployment: string; readonly revertTo: Weights } | null;
  readonly latched: LatchRecord[];
  readonly instances: { id: string; environment: string; healthy: boolean; inFlight: number }[];
  readonly maintenance: MaintenanceMode;
}

/** What is told of it by itself. */
type ToldObservation = Notice<ProxyProtocol, "observed">["observation"];

/** Of a service that the data plane has never heard of. */
export const NOTHING_OBSERVED: Observation = {
  split: null,
  armed: null,
  latched: [],
  instances: [],
  maintenance: "off",
};

export function observationOf({ register, published, mode }: ServiceState): Observation {
  const { split, armed, latches } = register;
  const instances = (published[0]?.environments ?? []).flatMap(({ environment, instances }) =>
    instances.map(({ id, cell }) => ({
      id,
      environment,
      healthy: Atomics.load(cell, INSTANCE_CELL.healthy) === 1,
      inFlight: totalFrom(cell, INSTANCE_CELL.inFlight),
    })),
  );
  return { split, armed, latched: [...latches], instances, maintenance: mode?.mode ?? "off" };
}

/** Without what changes with each request. */
export function toldOf({ instances, ...rest }: Observation): ToldObservation {
  return { ...rest, instances: instances.map(({ id, environment, healthy }) => ({ id, environment, healthy })) };
}
