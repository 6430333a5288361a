import type { MetricReading, MetricVariable } from "../model/metric.ts";

/** One process of the environment that is asked about. */
export interface MetricInstance {
  readonly id: string;
  /** `http://127.0.0.1:23871`. */
  readonly baseUrl: string;
}

/** What one reading is of. */
export interface MetricSubject {
  /** What `$environment` and the like stand for. */
  readonly names: Readonly<Record<MetricVariable, string>>;
  /** Its ready instances, for a source that asks the app itself. */
  instances(signal: AbortSignal): Promise<readonly MetricInstance[]>;
}

export interface MetricQuestion {
  /** A source's settings with their references resolved. Never logged, never stored. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly subject: MetricSubject;
}

/** Reads numbers that the data plane cannot see. */
export interface MetricsDriver {
  readonly name: string;
  /** What is asked and where, for the plan; `settings` as written, with secrets as references. */
  describe(settings: Readonly<Record<string, unknown>>): string;
  /**
   * One reading. Whatever is wrong with the source or its answer (down, not a number, several series or none) is `none`
   * with a code that is the same as long as the cause is, and a reason, which holds no secret.
   * @throws the signal's reason, soon after it aborts; nothing else
   */
  read(question: MetricQuestion, signal: AbortSignal): Promise<MetricReading>;
}
