import type { EpochMilliseconds } from "../../src/model/time.ts";
import type { Target } from "./target.ts";

/** One signal that a process got, and what was to be hit by it. */
export interface Strike {
  readonly kind: "kill" | "stop" | "cut";
  /** `machine`: everything at once. */
  readonly target: Target | "machine";
  readonly at: EpochMilliseconds;
  /** Environment of an instance; null for what is none. */
  readonly environment: string | null;
  /** The step at whose beginning it was to come; null: chance has chosen the instant. */
  readonly border: string | null;
}

/** A step as it ran, by whoever tells of it. */
export interface StepTimes {
  readonly id: string;
  readonly startedAt: EpochMilliseconds | null;
  readonly endedAt: EpochMilliseconds | null;
}

/** The step that was under way at that time; null: none was. */
export function stepAt<T extends StepTimes>(steps: readonly T[], at: EpochMilliseconds): T | null {
  return (
    steps.findLast(
      ({ startedAt, endedAt }) => startedAt !== null && startedAt <= at && (endedAt === null || at <= endedAt),
    ) ?? null
  );
}

/** What is counted together: `kill server at borders`. */
export function seriesOf({ kind, target, border }: Pick<Strike, "kind" | "target" | "border">): string {
  return border === null ? `${kind} at random` : `${kind} ${target} at borders`;
}

/** Whether a step goes by this name; a retirement's has its environment behind it. */
export function isCalled(step: string, name: string): boolean {
  return step === name || (name === "retire" && step.startsWith("retire-"));
}
