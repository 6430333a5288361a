import { shownGoodBy } from "../../analysis/sources.ts";
import type { RuleVerdict } from "../../analysis/verdict.ts";
import type { Advance } from "../../model/guardrail.ts";
import type { StepRun } from "../step.ts";
import type { Evidence } from "./evidence.ts";

export function tell(run: StepRun, verdict: RuleVerdict): Promise<void> {
  const { rule, message, observed, limit, requests, source } = verdict;
  const from = source === undefined ? {} : { source };
  return run.emit("guardrail", { rule, action: actionOf(verdict), message, observed, limit, requests, ...from });
}

/** What moved a step on where users' requests did not: probes, or time alone, so that nobody takes silence for proof. */
export async function tellGrounds(
  run: StepRun,
  wish: { readonly environment: string; readonly baseline: string | null; readonly advance: Advance },
  evidence: Evidence,
): Promise<void> {
  const { environment, baseline, advance } = wish;
  const { probing } = evidence;
  const users = evidence.users();
  if (probing !== null && shownGoodBy(users, evidence.probes()) === "probes") {
    const { summary, requests } = probing;
    const message = `${environment} is shown to be not worse by probes, as users' requests are too few: ${summary}`;
    await run.emit("guardrail", { rule: "all", action: "none", message, requests, source: "probes" });
    return;
  }
  if (advance !== "time") return;
  for (const verdict of evidence.activeUsers()) if (verdict.lacking !== null) await tell(run, verdict);
  const isTold = ({ lacking, proof }: RuleVerdict): boolean => lacking === "candidate" && proof === undefined;
  for (const verdict of users) if (isTold(verdict)) await tell(run, verdict);
  for (const verdict of evidence.metrics())
    if (isTold(verdict) || (verdict.lacking === "baseline" && baseline !== null)) await tell(run, verdict);
  if (users.length > 0) return;
  const message = `not enough evidence: no request went to ${environment} while it was watched`;
  await run.emit("guardrail", { rule: "all", action: "none", message, requests: 0 });
}

export function actionOf({ outcome }: RuleVerdict): "warn" | "hold" | "rollBack" | "none" {
  return outcome === "within" || outcome === "not-enough-evidence" ? "none" : outcome;
}
