import type { CustomGuardrail, MetricGuardrail } from "./metric.ts";
import type { Milliseconds } from "./time.ts";

/** What a breached guardrail does. */
export type GuardrailAction = "warn" | "hold" | "rollBack";

/** A limit on a latency quantile: a duration, or a multiple of the active environment's. */
export type LatencyLimit = { readonly ms: Milliseconds } | { readonly factor: number };

export type LatencyQuantile = "p50" | "p95" | "p99";

export const ALPHA = 0.001;

/** What ends a step of the shift: that the release is shown to be not worse, its time, or both. */
export const ADVANCES = ["time", "evidence", "both"] as const;
export type Advance = (typeof ADVANCES)[number];

/** Evidence is waited for this long beyond a step's time, unless teal.yaml says otherwise. */
export const MAX_WAIT_MS: Milliseconds = 30 * 60_000;

/** Users of the new environment that may be missing, as fractions in (0, 1]. It never takes back: people have other reasons to leave. */
export interface ActiveUsersLimits {
  readonly warn?: number;
  readonly hold?: number;
  /** They are counted anew in each window of this length. */
  readonly windowMs: Milliseconds;
}

/** The rules over the new environment's metrics. Rates are fractions in (0, 1]. */
export interface GuardrailSpec {
  /** No statistical verdict below this many requests of the new environment. */
  readonly minRequests: number;
  /** The odds of ever taking back a release that is within its limits, shared among the rules; absent: {@link ALPHA}. */
  readonly alpha?: number;
  readonly errorRate: Readonly<Partial<Record<GuardrailAction, number>>>;
  /** For a release that fails more than twice as often as the active one, and a point beyond; absent: none. */
  readonly worseThanActive?: GuardrailAction | "none";
  readonly latency: Readonly<
    Partial<Record<LatencyQuantile, Readonly<Partial<Record<GuardrailAction, LatencyLimit>>>>>
  >;
  /** Absent: they are not counted. */
  readonly activeUsers?: ActiveUsersLimits;
  /** Over metrics that the data plane cannot see; absent: no rule. */
  readonly databaseErrors?: MetricGuardrail;
  readonly connectionPool?: MetricGuardrail;
  readonly custom?: readonly CustomGuardrail[];
}
