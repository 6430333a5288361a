import { z } from "zod";

/** What one stage of `npm test` came to. */
export const outcomeSchema = z.object({
  passed: z.int(),
  failed: z.int(),
  /** Tests that did not run. Null: nobody said why. */
  skipped: z.array(z.object({ name: z.string(), reason: z.string().nullable() })).readonly(),
});
export type Outcome = z.output<typeof outcomeSchema>;

export const PASSED: Outcome = { passed: 1, failed: 0, skipped: [] };
export const FAILED: Outcome = { passed: 0, failed: 1, skipped: [] };

/**
 * The sum over stages. A test skipped without a reason has failed; one that lacks something has failed in CI, where
 * nothing may be missing, and is only reported elsewhere.
 */
export function total(outcomes: readonly Outcome[], ci: boolean): Outcome {
  const skipped = outcomes.flatMap((outcome) => outcome.skipped);
  const failing = skipped.filter(({ reason }) => ci || reason === null).length;
  return {
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failed: outcomes.reduce((sum, { failed }) => sum + failed, failing),
    skipped,
  };
}

/** The lines at the end of a run; the last is for machines. */
export function summary(outcome: Outcome): readonly string[] {
  const { passed, failed, skipped } = outcome;
  return [
    ...(skipped.length === 0 ? [] : ["could not run here:"]),
    ...skipped.map(({ name, reason }) => `  ${name}: ${reason ?? "skipped without a reason, which is a failure"}`),
    `${String(passed)} passed, ${String(failed)} failed`,
  ];
}
