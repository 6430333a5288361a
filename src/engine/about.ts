import type { Deployment } from "../model/deployment.ts";

/** One attempt of a step; the first is 1. */
export interface StepAttempt {
  readonly id: string;
  readonly attempt: number;
}

/** The fields that every line of the log about a deployment carries. */
export function aboutOf(
  { id, service }: Pick<Deployment, "id" | "service">,
  step: StepAttempt | null = null,
): Readonly<Record<string, unknown>> {
  return { deployment: id, service, ...(step === null ? {} : { step: step.id, attempt: step.attempt }) };
}
