import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";
import type { DeploymentRecord } from "../store/deployment-record.ts";
import { numberOf, textOf } from "./data.ts";
import type { EnvironmentTraffic } from "./environment-traffic.ts";
import { splitsOf } from "./splits.ts";

/** Why a deployment was taken back, and what that cost. */
export interface Incident {
  readonly kind: "abort" | "verdict" | "failure";
  /** What was seen, or who asked and why. */
  readonly seen: string;
  /** Null: it is not on record any more. */
  readonly decidedAt: EpochMilliseconds | null;
  /** Since the new release had its first traffic; null: it had none. */
  readonly exposedMs: Milliseconds | null;
  /** When the traffic was back; null: it is not, or none had been given. */
  readonly backAt: EpochMilliseconds | null;
  /** What the proxy took to give it back. */
  readonly backTookMs: Milliseconds | null;
  /** Of the new release, as far as its traffic is kept; null: none is. */
  readonly requests: number | null;
  readonly failures: number | null;
}

export function incidentOf(
  { deployment, events }: DeploymentRecord,
  traffic: readonly EnvironmentTraffic[],
): Incident | null {
  const { cause, to } = deployment;
  if (cause === null) return null;
  const decided = events.find(
    (event) =>
      event.type === "step-failed" ||
      (event.type === "guardrail" && textOf(event, "action") === "rollBack") ||
      (event.type === "deployment-state" && textOf(event, "to") === "rolling-back"),
  );
  const first = splitsOf(events, to).find(({ weight }) => weight > 0)?.at ?? null;
  const reverted = events.find(({ type }) => type === "split-reverted");
  const ours = traffic.find(({ environment }) => environment === to);
  return {
    kind: cause.kind,
    seen:
      cause.kind === "abort"
        ? `${cause.by} asked for it${cause.reason === null ? "" : `: ${cause.reason}`}`
        : cause.message,
    decidedAt: decided?.at ?? null,
    exposedMs: first === null || decided === undefined ? null : Math.max(0, decided.at - first),
    backAt: reverted?.at ?? null,
    backTookMs: reverted === undefined ? null : numberOf(reverted, "tookMs"),
    requests: ours?.requests ?? null,
    failures: ours?.failures ?? null,
  };
}
