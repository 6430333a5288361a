import { longestDrainMs } from "../model/drain.ts";
import type { Advance } from "../model/guardrail.ts";
import type { PlanStep } from "../model/plan.ts";
import type { ServiceSpec } from "../model/service.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Weights } from "../model/traffic.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** CONTRACTS, teal.yaml: then the deployment is rolled back. */
const APPROVAL_MS: Milliseconds = 24 * HOUR;

/** How long a guardrail may hold a shift or a bake before the deployment is taken back: no state is without an end. */
const LONGEST_HOLD_MS: Milliseconds = 30 * MINUTE;

/** What one change of the split takes, read-back and both phases; generous, as a deadline. */
const APPLY_WORST_MS: Milliseconds = 30 * SECOND;

export function preflight(environment: string, first: boolean): PlanStep {
  return {
    id: "preflight",
    uses: "preflight@1",
    title: first
      ? "Check that the service can take its first release"
      : "Check the active environment and the live split",
    touches: [],
    input: { environment },
    expectedMs: 50,
    worstMs: 30 * SECOND,
  };
}

export function retire(environment: string, version: string, spec: ServiceSpec): PlanStep {
  return {
    id: `retire-${environment}`,
    uses: "retire@1",
    title: `Retire ${version} on ${environment}`,
    touches: [`environment ${environment}`],
    input: { environment },
    expectedMs: SECOND,
    worstMs: longestDrainMs(spec.traffic) + spec.environment.stop.timeoutMs + MINUTE,
  };
}

export function provision(environment: string, version: string): PlanStep {
  return {
    id: "provision",
    uses: "provision@1",
    title: `Unpack the files of ${version}`,
    touches: [`release ${version}`],
    input: { environment },
    expectedMs: SECOND,
    worstMs: 10 * MINUTE,
  };
}

/** @param count instances, where they are not as many as the release says */
export function start(environment: string, spec: ServiceSpec, count = spec.environment.count): PlanStep {
  return {
    id: "start",
    uses: "start@1",
    title: `Start ${String(count)} instance${count === 1 ? "" : "s"} on ${environment}`,
    touches: [`environment ${environment}`],
    input: { environment },
    expectedMs: 200,
    worstMs: MINUTE + spec.environment.stop.timeoutMs,
  };
}

export function healthy(environment: string, spec: ServiceSpec): PlanStep {
  const { health } = spec;
  return {
    id: "healthy",
    uses: "healthy@1",
    title: `Wait until ${environment} is healthy (${health.path} answers ${String(health.status)} ${String(health.healthyAfter)} times)`,
    touches: [],
    input: { environment },
    expectedMs: SECOND + health.healthyAfter * health.intervalMs,
    worstMs: health.deadlineMs,
  };
}

export function validate(environment: string, spec: ServiceSpec): PlanStep | null {
  const { endpoint, smoke, checks, deadlineMs } = spec.deploy.validate;
  const parts = [
    ...(endpoint === null ? [] : [`endpoint ${endpoint}`]),
    ...(checks.length === 0 ? [] : [`${String(checks.length)} declared check${checks.length === 1 ? "" : "s"}`]),
    ...(smoke === null ? [] : ["smoke command"]),
  ];
  if (parts.length === 0) return null;
  return {
    id: "validate",
    uses: "validate@1",
    title: `Validate ${environment}: ${parts.join(", ")}`,
    touches: [],
    input: { environment },
    expectedMs: 2 * SECOND,
    worstMs: deadlineMs,
  };
}

/** A gate before the first traffic: nothing that users see has happened yet. */
export function approval(environment: string, version: string): PlanStep {
  return {
    id: "approval",
    uses: "approval@1",
    title: `Wait for somebody to approve ${version} (${String(APPROVAL_MS / HOUR)} h at most)`,
    touches: [],
    input: { environment, waitMs: APPROVAL_MS },
    expectedMs: 0,
    worstMs: APPROVAL_MS + MINUTE,
  };
}

export interface ShiftWish {
  readonly version: string;
  readonly watchMs: Milliseconds;
  readonly force?: boolean;
  /** Whether a guardrail or drift may hold it until a person has spoken. */
  readonly mayHold?: boolean;
  /** Evidence ends the watch; absent: time. */
  readonly until?: { readonly advance: Advance; readonly maxWaitMs: Milliseconds };
}

export function shift(
  environment: string,
  weights: Weights,
  { version, watchMs, force, until, mayHold }: ShiftWish,
): PlanStep {
  const weight = weights[environment] ?? 0;
  const holdMs = Math.max(LONGEST_HOLD_MS, until === undefined ? 0 : until.maxWaitMs + MINUTE);
  return {
    id: `shift-${String(weight)}`,
    uses: "shift@1",
    title: `Give ${version} on ${environment} ${String(weight)} % of the traffic`,
    touches: [`traffic ${describe(weights)}`],
    input: { environment, weights, watchMs, ...(force === true ? { force } : {}), ...until },
    expectedMs: watchMs + 20,
    worstMs: watchMs + APPLY_WORST_MS + (mayHold === true ? holdMs : 0),
  };
}

/** Makes the environment the active one, while the one before keeps some traffic to be compared with. */
export function promote(
  environment: string,
  weights: Weights,
  { from, version }: { readonly from: string; readonly version: string },
): PlanStep {
  const step = shift(environment, weights, { version, watchMs: 0, mayHold: true });
  return {
    ...step,
    id: "promote",
    title: `${step.title}; ${from} keeps ${String(weights[from] ?? 0)} % to compare with`,
    input: { ...step.input, promotes: true },
  };
}

export function bake(environment: string, weights: Weights, watchMs: Milliseconds): PlanStep {
  const beside = Object.keys(weights).filter((name) => name !== environment && (weights[name] ?? 0) > 0);
  return {
    id: "bake",
    uses: "bake@1",
    title: `Watch ${environment} at ${String(weights[environment] ?? 0)} %${beside.length === 0 ? "" : `, beside ${beside.join(", ")}`} (bake)`,
    touches: [],
    input: { environment, weights, watchMs },
    expectedMs: watchMs,
    worstMs: watchMs + APPLY_WORST_MS + LONGEST_HOLD_MS,
  };
}

/** From the call to all traffic on the old side: the revert itself, then its drain. */
export function worstRollbackMs(spec: ServiceSpec): Milliseconds {
  return SECOND + spec.traffic.drainMs;
}

function describe(weights: Weights): string {
  return Object.entries(weights)
    .map(([name, weight]) => `${name} ${String(weight)} %`)
    .join(", ");
}
