import type { RollbackCause } from "../model/deployment.ts";
import { TealError } from "../model/error.ts";
import type { Latch, TrafficObservation } from "../ports/traffic.ts";

/**
 * The data plane's memory counts more than the record: a revert is the one act that may come before its entry.
 * @throws `controller-loss`, `latched`
 */
export function throwIfLatched(deployment: string, seen: TrafficObservation): void {
  const latch = seen.latched.find((candidate) => candidate.deployment === deployment);
  if (latch === undefined) return;
  throw revertedBy(latch.cause, deployment);
}

/** What a revert at the data plane means for its deployment: nobody was there, or somebody asked for it. */
export function revertedBy(cause: Latch["cause"], deployment: string): TealError {
  if (cause === "controller-loss")
    return new TealError("controller-loss", "the data plane took the traffic back while the control plane was silent");
  return new TealError("latched", `${deployment} was reverted at the data plane`);
}

/** Told to the data plane by somebody whose word did not reach the record before a crash. */
export const UNRECORDED_ABORT: RollbackCause = {
  kind: "abort",
  by: "unknown",
  reason: "the data plane was told to revert before the record could say by whom",
};
