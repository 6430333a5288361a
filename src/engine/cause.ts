import type { Deployment, RollbackCause } from "../model/deployment.ts";
import type { TealError } from "../model/error.ts";
import { UNRECORDED_ABORT } from "./latched.ts";

/** Codes that are a judgement on the release, not a step that could not be done. */
const VERDICTS: ReadonlySet<string> = new Set([
  "guardrail-breached",
  "evidence-lacking",
  "controller-loss",
  "crash-loop",
  "approval-expired",
]);

/** Why a deployment whose step threw this is taken back. */
export function causeOf(problem: TealError): RollbackCause {
  const { code, message } = problem;
  if (code === "latched") return UNRECORDED_ABORT;
  return VERDICTS.has(code) ? { kind: "verdict", code, message } : { kind: "failure", code, message };
}

/** How a deployment ends that was taken back for this cause. */
export function endOf(
  deployment: Pick<Deployment, "touchedTraffic">,
  cause: RollbackCause,
): "aborted" | "rolled-back" | "failed" {
  if (cause.kind === "abort") return "aborted";
  if (cause.code === "approval-expired") return "rolled-back";
  return deployment.touchedTraffic ? "rolled-back" : "failed";
}
