import type { Value } from "./value.ts";
import type { EpochMilliseconds, Milliseconds } from "./time.ts";

/** A setting of a metric's source, as teal.yaml has it: secrets are references until the source is asked. */
export type MetricSetting = Value | number | boolean | readonly MetricSettings[];
export interface MetricSettings {
  readonly [key: string]: MetricSetting;
}

/** Where a number comes from that the data plane cannot see. */
export interface MetricSource {
  /** Name of a metrics driver of the registry. */
  readonly driver: string;
  /** What that driver is asked; it alone knows their meaning. */
  readonly settings: MetricSettings;
  /** Whether its question names the environment or its release, so that the active one can be asked as well. */
  readonly perEnvironment: boolean;
}

/** A limit: a number in the metric's own unit, or a multiple of the active environment's. */
export type MetricLimit = { readonly value: number } | { readonly factor: number };

/** What such a number is to be within. */
export interface MetricGuardrail {
  readonly warn?: MetricLimit;
  readonly hold?: MetricLimit;
  readonly rollBack?: MetricLimit;
  readonly source: MetricSource;
  /**
   * `gauge`: a number that goes up and down. `share`: two counters, of what was bad and of all; limits are shares in
   * (0, 1]. `perMinute`: one counter; limits are what it may grow by in a minute.
   */
  readonly counting: "gauge" | "share" | "perMinute";
  /** Which side of a limit is bad. */
  readonly direction: "above" | "below";
  /** Whether its numbers are fractions that are read as percentages. */
  readonly percent: boolean;
  readonly everyMs: Milliseconds;
  /** A source that has not answered by then has nothing to say. */
  readonly timeoutMs: Milliseconds;
  /** Readings in a row beyond a limit that breach it; not for a `share`, which is tested. */
  readonly readings: number;
}

export interface CustomGuardrail extends MetricGuardrail {
  readonly name: string;
}

/** One counter for what was bad, and one for all; null: nobody counts all. Both only grow, or begin anew. */
export interface MetricCounts {
  readonly bad: number;
  readonly total: number | null;
}

/**
 * Why a source has nothing to say, in a closed set: what is told once is told apart by these, as words may hold numbers that
 * change. `settings`: it cannot be asked as it is written; `unreachable`: no answer, or too late; `refused`: an error in
 * answer; `unreadable`: another answer than such a source gives; `nothing`, `several`, `no-number`: not one number;
 * `clock`: it is of an earlier time than the one before.
 */
export type Silence =
  "settings" | "unreachable" | "refused" | "unreadable" | "nothing" | "several" | "no-number" | "clock";

/** Nothing that can be judged. */
export interface NoReading {
  readonly kind: "none";
  readonly code: Silence;
  /** For a person. */
  readonly reason: string;
}

/** What a source says at one moment. */
export type MetricReading =
  | { readonly kind: "value"; readonly value: number; readonly at: EpochMilliseconds }
  /** By who counts: each instance has counters of its own. */
  | {
      readonly kind: "counts";
      readonly counts: Readonly<Record<string, MetricCounts>>;
      readonly at: EpochMilliseconds;
    }
  | NoReading;

/** Words that a question may hold, each with a `$` before it. */
export const METRIC_VARIABLES = ["environment", "service", "version", "release"] as const;
export type MetricVariable = (typeof METRIC_VARIABLES)[number];
