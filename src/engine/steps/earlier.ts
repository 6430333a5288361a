import type { StepRun } from "../step.ts";

/** What the newest of the other steps has stored under this name. */
export async function earlierIn(run: StepRun, name: string): Promise<unknown> {
  const rows = await run.parts.store.steps(run.deployment.id);
  return rows.findLast(({ id, progress }) => id !== run.id && progress[name] !== undefined)?.progress[name];
}
