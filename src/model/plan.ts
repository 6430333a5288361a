import type { Goal } from "./deployment.ts";
import type { Advance } from "./guardrail.ts";
import type { Milliseconds } from "./time.ts";

/**
 * Handlers are versioned names, so that an upgrade of Teal in mid-deployment runs the rows that were planned.
 * A new behaviour gets a new version; the old one stays until no row can name it.
 */
export type StepUses =
  | "preflight@1"
  | "provision@1"
  | "start@1"
  | "healthy@1"
  | "validate@1"
  | "shift@1"
  | "bake@1"
  | "retire@1"
  | "approval@1";

/** One idempotent, cancellable act with a deadline, as data. */
export interface PlanStep {
  /** Unique within the plan; stable words such as `shift-10`. */
  readonly id: string;
  readonly uses: StepUses;
  readonly title: string;
  /** What it acts on, for a person: `environment green`, `traffic blue 90 %, green 10 %`. */
  readonly touches: readonly string[];
  readonly input: StepInput;
  readonly expectedMs: Milliseconds;
  /** Its deadline; a step never takes longer. */
  readonly worstMs: Milliseconds;
}

export interface StepInput {
  /** Environment acted on. */
  readonly environment: string;
  /** For `shift@1`: weights to reach; for `bake@1`: weights to hold. */
  readonly weights?: Readonly<Record<string, number>>;
  /** For `shift@1`: a person takes the traffic there even without a healthy instance. */
  readonly force?: true;
  /** For `shift@1`: makes the environment the active one, though another keeps some traffic. */
  readonly promotes?: true;
  /** For `shift@1` and `bake@1`: how long to watch. */
  readonly watchMs?: Milliseconds;
  /** For `shift@1`: what ends the watch; absent: time. */
  readonly advance?: Advance;
  /** For `shift@1`: how long beyond its time evidence is waited for. */
  readonly maxWaitMs?: Milliseconds;
  /** For `approval@1`: how long a person is waited for. */
  readonly waitMs?: Milliseconds;
}

export interface Plan {
  readonly goal: Goal;
  readonly service: string;
  readonly from: string | null;
  readonly to: string;
  readonly steps: readonly PlanStep[];
  readonly worstRollbackMs: Milliseconds;
  readonly warnings: readonly string[];
  /** What is read elsewhere while the guardrails watch, and where; absent: nothing. */
  readonly reads?: readonly string[];
  /** Configuration paths that differ from the active release's, secrets redacted. */
  readonly changes: readonly ConfigurationChange[];
}

export interface ConfigurationChange {
  /** Dotted path, such as `environment.count`. */
  readonly path: string;
  /** As text; null: not set. */
  readonly before: string | null;
  readonly after: string | null;
}
