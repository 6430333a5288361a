import { metricRules } from "../../analysis/metric/rule.ts";
import type { Milliseconds } from "../../model/time.ts";
import type { StepRun } from "../step.ts";
import { readMetric } from "./read.ts";
import { recordedSubject } from "./subject.ts";

/** A slow source does not keep a deployment from its first step for longer. */
const MOST_MS: Milliseconds = 5_000;

/**
 * Asks each source once, of the active environment, and says which has nothing to say: that is better known before the
 * first request goes over. It never stops a deployment, which may be the cure.
 */
export async function askMetrics(run: StepRun, active: string): Promise<void> {
  const { parts, release, deployment, context } = run;
  const rules = metricRules(release.spec.deploy.guardrails);
  if (rules.length === 0) return;
  const subject = await recordedSubject(parts, deployment.service, active);
  if (subject === null) return;
  await Promise.all(
    rules.map(async ({ name, guardrail }) => {
      const patient = { ...guardrail, timeoutMs: Math.min(guardrail.timeoutMs, MOST_MS) };
      const reading = await readMetric(parts, patient, subject, context.signal);
      if (reading.kind !== "none") return;
      await run.emit("warning", silence(name, reading.code, `${reading.reason} (asked of ${active})`));
    }),
  );
}

/** What is said of a source that says nothing. */
export function silence(rule: string, why: string, reason: string): Readonly<Record<string, unknown>> {
  return {
    code: "metric-silent",
    message: `${rule}: no evidence: ${reason}`,
    remedy:
      why === "incomparable"
        ? "Ask its source about the active environment by hand; limits that are numbers of their own go on judging."
        : "Ask its source for the same by hand; until it answers, this guardrail judges nothing.",
    rule,
    why,
  };
}
