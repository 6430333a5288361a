import type { GuardrailRule, RuleVerdict, Subjects } from "./verdict.ts";

const LACKING = { outcome: "not-enough-evidence", breached: null, limit: null } as const;

export function lacksRequests(
  rule: GuardrailRule,
  observed: number | null,
  requests: number,
  minRequests: number,
  { candidate }: Subjects,
): RuleVerdict {
  const needed = String(Math.max(1, minRequests));
  const message = `not enough evidence: ${candidate} has answered ${String(requests)} of the ${needed} requests that a verdict needs`;
  return { ...LACKING, rule, observed, requests, lacking: "candidate", message };
}

/** `says`: what was observed of the candidate. */
export function lacksBaseline(
  rule: GuardrailRule,
  observed: number,
  requests: number,
  says: string,
  { baseline }: Subjects,
): RuleVerdict {
  const why = baseline === null ? "there is no other environment" : `${baseline} has too few requests`;
  const message = `not enough evidence: ${says}, but ${why} to compare with`;
  return { ...LACKING, rule, observed, requests, lacking: "baseline", message };
}
