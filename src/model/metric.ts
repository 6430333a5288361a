import type { EpochMilliseconds } from "./time.ts";

/** One counter for what was bad, and one for all; null: nobody counts all. Both only grow, or begin anew. */
export interface MetricCounts {
  readonly bad: number;
  readonly total: number | null;
}

/** What a source says at one moment. `none`: nothing that can be judged, and why, in words that stay the same. */
export type MetricReading =
  | { readonly kind: "value"; readonly value: number; readonly at: EpochMilliseconds }
  /** By who counts: each instance has counters of its own. */
  | {
      readonly kind: "counts";
      readonly counts: Readonly<Record<string, MetricCounts>>;
      readonly at: EpochMilliseconds;
    }
  | { readonly kind: "none"; readonly reason: string };

/** Words that a question may hold, each with a `$` before it. */
export const METRIC_VARIABLES = ["environment", "service", "version", "release"] as const;
export type MetricVariable = (typeof METRIC_VARIABLES)[number];
