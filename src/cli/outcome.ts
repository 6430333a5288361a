import { CATALOGUE, isErrorCode } from "../model/catalogue.ts";
import type { DeploymentState } from "../model/deployment.ts";
import type { DeploymentAnswer } from "../sdk/client.ts";

/** States in which nothing more happens unless a person acts: where following ends. */
export function isSettled(state: DeploymentState): boolean {
  return ["completed", "rolled-back", "aborted", "failed", "frozen"].includes(state);
}

/** Exit code of the verb that started a deployment (CONTRACTS, "CLI"). */
export function exitOf(deployment: DeploymentAnswer): number {
  switch (deployment.state) {
    case "completed":
      return 0;
    case "rolled-back":
      return 3;
    case "aborted":
      return 4;
    case "waiting":
      return 5;
    case "failed":
      return failedExit(deployment);
    case "frozen":
      return 1;
    case "planned":
    case "running":
    case "baking":
    case "rolling-back":
      return 0;
    default:
      return deployment.state satisfies never;
  }
}

/** A refusal by a safety rule (6), bad configuration (2) and lack of permission (7) keep their code; all else is 1. */
function failedExit({ cause }: DeploymentAnswer): number {
  if (cause === null || cause.kind === "abort" || !isErrorCode(cause.code)) return 1;
  const { exit } = CATALOGUE[cause.code];
  return exit === 2 || exit === 6 || exit === 7 ? exit : 1;
}

/** Why it ended as it did, in words, and what to do; null when there is nothing to say. */
export function causeWords({
  cause,
}: Pick<DeploymentAnswer, "cause">): { readonly why: string; readonly remedy: string | null } | null {
  if (cause === null) return null;
  if (cause.kind === "abort") {
    return { why: `aborted by ${cause.by}${cause.reason === null ? "" : `: ${cause.reason}`}`, remedy: null };
  }
  return {
    why: `${cause.message} [${cause.code}]`,
    remedy: isErrorCode(cause.code) ? CATALOGUE[cause.code].remedy : null,
  };
}
