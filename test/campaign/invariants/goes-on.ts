import type { DeploymentFact, Ending, Evidence } from "../evidence.ts";
import type { Strike } from "../strike.ts";

/** So many of its instances that are killed convict a release, as its own ends do: docs/concepts.md. */
const CRASH_LOOP: readonly Ending[] = ["rolled-back", "failed"].map((state) => ({ state, cause: "crash-loop" }));
const TOO_MANY = 2;
/** A validation judges the very instances that stand still, and before any traffic. */
const NO_ANSWER: readonly Ending[] = [{ state: "failed", cause: "validation-failed" }];

/** docs/failure-modes.md: whatever fails around it, a good release is completed, but for what that page says takes it back. */
export function goesOn(evidence: Evidence): readonly string[] {
  const { deployments, acknowledged, endings } = evidence;
  return deployments.flatMap((row) => {
    const { id, goal, state, cause } = row;
    if (goal !== "deploy" || state === "completed" || !acknowledged.includes(id)) return [];
    const may = [
      ...(endings[id] ?? []),
      ...(hitsOf(row, evidence, "kill") < TOO_MANY ? [] : CRASH_LOOP),
      ...(hitsOf(row, evidence, "stop") === 0 ? [] : NO_ANSWER),
    ];
    return may.some((one) => one.state === state && one.cause === cause)
      ? []
      : [`${id} was a good release, and ended ${state} (${String(cause)})`];
  });
}

/** Of its own instances, from its first step to its last. */
function hitsOf({ id, to }: DeploymentFact, { steps, strikes }: Evidence, by: Strike["kind"]): number {
  const times = steps.flatMap(({ deployment, startedAt }) => (deployment === id ? (startedAt ?? []) : []));
  const ended = steps.flatMap(({ deployment, endedAt }) => (deployment === id ? (endedAt ?? []) : []));
  const [from, until] = [Math.min(...times), Math.max(...ended)];
  return strikes.filter(({ kind, environment, at }) => kind === by && environment === to && at >= from && at <= until)
    .length;
}
