import { isErrorCode } from "../../../model/catalogue.ts";
import type { EnvironmentState, InstanceStatus } from "../../../model/environment.ts";
import type { EnvironmentObservation } from "../../../ports/environment.ts";
import type { InstanceReport } from "../../../wire/keeper.ts";

export function toStatus(report: InstanceReport): InstanceStatus {
  const { id, ordinal, state, address, pid, restarts, code, reason, startedAt } = report;
  const known = code === null || isErrorCode(code) ? code : "internal";
  return { id, ordinal, state, address, pid, restarts, code: known, reason, startedAt };
}

/** What the reports of one environment's instances amount to. */
export function observation(environment: string, reports: readonly InstanceReport[]): EnvironmentObservation {
  const present = reports.filter(({ state }) => state !== "stopped");
  // Two releases are there only while one is being replaced: the newer one is meant.
  const newest = present.toSorted((a, b) => (b.startedAt ?? 0) - (a.startedAt ?? 0))[0];
  const instances = present.toSorted((a, b) => a.ordinal - b.ordinal).map(toStatus);
  return { environment, release: newest?.release ?? null, state: stateOf(instances), instances };
}

function stateOf(instances: readonly InstanceStatus[]): EnvironmentState {
  const some = (...states: InstanceStatus["state"][]): boolean => instances.some(({ state }) => states.includes(state));
  if (instances.length === 0) return "absent";
  if (some("failed", "crash-loop")) return "failed";
  if (some("stopping")) return "stopping";
  return some("starting", "backoff") ? "starting" : "ready";
}
