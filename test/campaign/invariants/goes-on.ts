import type { DeploymentFact, Ending, Evidence } from "../evidence.ts";

/** So many of its instances that are killed convict a release, as its own ends do: docs/concepts.md. */
const CRASH_LOOP: readonly Ending[] = ["rolled-back", "failed"].map((state) => ({ state, cause: "crash-loop" }));
const TOO_MANY = 2;

/** docs/failure-modes.md: whatever fails around it, a good release is completed, but for what that page says takes it back. */
export function goesOn(evidence: Evidence): readonly string[] {
  const { deployments, acknowledged, endings } = evidence;
  return deployments.flatMap((row) => {
    const { id, goal, state, cause } = row;
    if (goal !== "deploy" || state === "completed" || !acknowledged.includes(id)) return [];
    const may = [...(endings[id] ?? []), ...(killsOf(row, evidence) < TOO_MANY ? [] : CRASH_LOOP)];
    return may.some((one) => one.state === state && one.cause === cause)
      ? []
      : [`${id} was a good release, and ended ${state} (${String(cause)})`];
  });
}

/** Of its own instances, from its first step to its last. */
function killsOf({ id, to }: DeploymentFact, { steps, strikes }: Evidence): number {
  const times = steps.flatMap(({ deployment, startedAt }) => (deployment === id ? (startedAt ?? []) : []));
  const ended = steps.flatMap(({ deployment, endedAt }) => (deployment === id ? (endedAt ?? []) : []));
  const [from, until] = [Math.min(...times), Math.max(...ended)];
  return strikes.filter(
    ({ kind, environment, at }) => kind === "kill" && environment === to && at >= from && at <= until,
  ).length;
}
