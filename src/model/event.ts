import type { EpochMilliseconds } from "./time.ts";

/**
 * Every kind of event, and what its `data` holds. A name is never reused; keys are only added. Durations in ms.
 *
 * - server-started `{version, pid, recovered: number}`
 * - process-replaced `{process: keeper | proxy | server, pid, before, runtime: string | null, cause: ended | replaced | hung}`
 * - deployment-accepted `{goal, from, to, version, release, by, reason, warnings: string[]}`
 * - deployment-state `{from, to, cause: RollbackCause | null}`: states
 * - step-started `{title, uses, attempt, worstMs}` · step-progress `{message, …}` · step-completed `{tookMs, …}`
 * - step-failed `{code, message, remedy}` · step-undone `{title}`
 * - split-applied `{weights, generation, tookMs?}` · split-reverted `{weights, generation, cause, tookMs?}`
 * - receipt: a Receipt
 * - guardrail `{rule, action: warn | hold | rollBack | none, message, source?: probes, …}`
 * - instance: an InstanceStatus and `{environment}` · environment `{environment, state, release}`
 * - release-frozen `{release, version, digest}` · release-pruned `{release}`
 * - traffic-asked `{weights, generation, by, reason, forced}`: a person sets the split; split-applied follows when it is live
 * - resumed `{kind, drift, by, reason}`: a person lets a deployment go on that held
 * - approval `{by, reason}`: a person has let the deployment pass its gate
 * - retirement-scheduled `{environment, at}` · retirement-cancelled `{environment}`
 * - maintenance `{mode, from, until, endsIn, by, reason, warnings: string[]}`: MaintenanceModes
 * - token-created `{id, name, role, services, expiresAt, by, reason}` · token-revoked `{id, name, by, reason}`
 * - events-pruned `{before, events: number, gaps}`: so many older events were removed; what is left is chained across them
 * - drift `{expected: Weights, live: Weights}`
 * - warning `{code, message, remedy}`
 */
export const EVENT_TYPES = [
  "server-started",
  "process-replaced",
  "deployment-accepted",
  "deployment-state",
  "step-started",
  "step-progress",
  "step-completed",
  "step-failed",
  "step-undone",
  "split-applied",
  "split-reverted",
  "receipt",
  "guardrail",
  "instance",
  "environment",
  "release-frozen",
  "release-pruned",
  "approval",
  "resumed",
  "traffic-asked",
  "retirement-scheduled",
  "retirement-cancelled",
  "maintenance",
  "token-created",
  "token-revoked",
  "events-pruned",
  "drift",
  "warning",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** One line of the log that feeds CLI, API and dashboard. `seq` only grows, with no meaning in its gaps. */
export interface TealEvent {
  readonly seq: number;
  readonly at: EpochMilliseconds;
  readonly service: string | null;
  readonly deployment: string | null;
  readonly type: EventType;
  readonly step: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event before the store has numbered it. */
export type NewEvent = Omit<TealEvent, "seq">;
