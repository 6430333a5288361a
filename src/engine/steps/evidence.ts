import { Trial } from "../../analysis/trial.ts";
import { CounterWindow } from "../../analysis/window.ts";
import type { Stretch } from "../steady-traffic.ts";
import type { StepRun } from "../step.ts";

/** Who is compared, and the traffic before the deployment's first split; null: not known. */
export interface TrialWish {
  readonly environment: string;
  readonly baseline: string | null;
  readonly before: Stretch | null;
}

/** The deployment's one trial: this step's own, that of the step before it, or one that begins with what came before. */
export async function trialOf(run: StepRun, { environment, baseline, before }: TrialWish): Promise<Trial> {
  const spec = run.release.spec.deploy.guardrails;
  const stored = run.progress["trial"] ?? (await earlier(run));
  if (stored !== undefined) return Trial.fromJSON(spec, stored);
  const { window } = run.progress;
  // Written by a version that kept its counts alone.
  if (window !== undefined) return Trial.begin(spec, undefined, CounterWindow.fromJSON(window));
  const begun = Trial.begin(spec, baseline === null ? undefined : before?.environments[baseline]);
  return before === null ? begun : begun.add(before.newest, { candidate: environment, baseline });
}

async function earlier(run: StepRun): Promise<unknown> {
  const rows = await run.parts.store.steps(run.deployment.id);
  return rows.findLast(({ id, progress }) => id !== run.id && progress["trial"] !== undefined)?.progress["trial"];
}
