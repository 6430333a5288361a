import type { GuardrailAction, LatencyQuantile } from "../model/guardrail.ts";

/** Over metrics that the data plane cannot see. */
export type MetricRuleName = "databaseErrors" | "connectionPool" | `custom.${string}`;
export type GuardrailRule =
  | MetricRuleName
  | "errorRate"
  | "worseThanActive"
  | `latency.${LatencyQuantile}`
  | "activeUsers"
  | "connectFailures"
  | "crashLoop";

/** From the mildest to the strictest. `within`: shown to be not worse. The last three: shown to be worse. */
export const OUTCOMES = ["within", "not-enough-evidence", "warn", "hold", "rollBack"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What one rule says of all that was seen of a deployment. */
export interface RuleVerdict {
  readonly rule: GuardrailRule;
  readonly outcome: Outcome;
  /** The action whose limit is breached; it differs from `outcome` when both environments breach it. Null: none is. */
  readonly breached: GuardrailAction | null;
  /** A rate in [0, 1], or milliseconds; null when nothing was seen. */
  readonly observed: number | null;
  /** The limit that `outcome` is about, in the unit of `observed`; null without evidence. */
  readonly limit: number | null;
  /** Requests of the new environment that the verdict rests on. */
  readonly requests: number;
  /** Whose requests are too few. The baseline's may never come (it is idle after promotion). */
  readonly lacking: "candidate" | "baseline" | null;
  /**
   * What a step that waits for evidence makes of it, where `outcome` does not say so. `shown`: all that would take back or
   * hold is shown to be kept, although it warns. `not-needed`: nothing that would is known of it, so it hinders no step.
   */
  readonly proof?: "shown" | "not-needed";
  /** Whose requests it rests on; absent: users'. */
  readonly source?: "probes";
  /** One sentence for a person. */
  readonly message: string;
}

/** Names of the environments. */
export interface Subjects {
  readonly candidate: string;
  readonly baseline: string | null;
}
