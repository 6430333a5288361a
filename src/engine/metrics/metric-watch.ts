import { lackOf } from "../../analysis/metric/limit.ts";
import { MetricTrial } from "../../analysis/metric/metric-trial.ts";
import { metricVerdict } from "../../analysis/metric/metric-verdict.ts";
import { type MetricRule, metricRules } from "../../analysis/metric/rule.ts";
import type { RuleVerdict, Subjects } from "../../analysis/verdict.ts";
import { toTealError } from "../../model/error.ts";
import type { MetricSubject } from "../../ports/metrics.ts";
import { aboutOf } from "../about.ts";
import type { StepRun } from "../step.ts";
import { earlierIn } from "../steps/earlier.ts";
import { silence } from "./preflight.ts";
import { readMetric } from "./read.ts";
import { recordedSubject, subjectOf } from "./subject.ts";

/** Who is watched, and whom it is compared with; null: nobody. */
interface Wish {
  readonly environment: string;
  readonly baseline: string | null;
}

interface Asked {
  readonly candidate: MetricSubject;
  readonly baseline: MetricSubject | null;
}

/**
 * Reads the sources of a deployment's guardrails beside the watch: each by itself and at its own pace, so that one that
 * hangs delays neither the others nor any verdict, abort or rollback. Ends with the signal.
 */
export class MetricWatch {
  readonly #run: StepRun;
  readonly #subjects: Subjects;
  readonly #asked: Asked;
  readonly #signal: AbortSignal;
  readonly #trials: Map<string, MetricTrial>;
  /** By rule and kind, silences that were told: each is told once, whatever its words are. */
  readonly #told = new Set<string>();

  private constructor(run: StepRun, wish: Wish, asked: Asked, trials: readonly MetricTrial[], signal: AbortSignal) {
    this.#run = run;
    this.#subjects = { candidate: wish.environment, baseline: wish.baseline };
    this.#asked = asked;
    this.#trials = new Map(trials.map((trial) => [trial.rule.name, trial]));
    this.#signal = signal;
  }

  /** Goes on from what this step, or the one before it, has kept; null: no guardrail reads a metric. */
  static async begin(run: StepRun, wish: Wish, signal: AbortSignal): Promise<MetricWatch | null> {
    const { parts, release, deployment } = run;
    const rules = metricRules(release.spec.deploy.guardrails);
    if (rules.length === 0) return null;
    const candidate = subjectOf(parts, wish.environment, release);
    const kept = (run.progress["metrics"] ?? (await earlierIn(run, "metrics")) ?? {}) as Readonly<
      Record<string, unknown>
    >;
    const baseline = wish.baseline === null ? null : await recordedSubject(parts, deployment.service, wish.baseline);
    const trials = rules.map((rule) => {
      const state = kept[rule.name];
      return state === undefined ? MetricTrial.begin(rule) : MetricTrial.fromJSON(rule, state);
    });
    return new MetricWatch(run, wish, { candidate, baseline }, trials, signal);
  }

  /** @param changed is called after each reading */
  start(changed: () => void): void {
    for (const { rule } of this.#trials.values()) {
      this.#poll(rule, changed).catch((thrown: unknown) => {
        if (!this.#signal.aborted) this.#report(thrown, `reading ${rule.name}`);
      });
    }
  }

  verdicts(): readonly RuleVerdict[] {
    return [...this.#trials.values()].map((trial) => metricVerdict(trial, this.#subjects));
  }

  /** By rule. */
  toJSON(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#trials].map(([name, trial]) => [name, trial.toJSON()]));
  }

  async #poll(rule: MetricRule, changed: () => void): Promise<void> {
    const { parts } = this.#run;
    const { source, everyMs } = rule.guardrail;
    const theirs = source.perEnvironment ? this.#asked.baseline : null;
    for (;;) {
      const [ours, other] = await Promise.all([
        readMetric(parts, rule.guardrail, this.#asked.candidate, this.#signal),
        theirs === null ? null : readMetric(parts, rule.guardrail, theirs, this.#signal),
      ]);
      const trial = (this.#trials.get(rule.name) ?? MetricTrial.begin(rule)).add(ours, other);
      this.#trials.set(rule.name, trial);
      changed();
      this.#tellSilences(trial, theirs === null ? null : this.#subjects.baseline);
      await parts.clock.sleep(everyMs, this.#signal);
    }
  }

  #tellSilences(trial: MetricTrial, baseline: string | null): void {
    const { rule, state } = trial;
    const { silent, silence: code = "nothing" } = state.candidate;
    if (silent !== null) this.#tellOnce(rule.name, code, silent);
    if (baseline === null || !trial.isLost) return;
    const lack = lackOf(rule, state.baseline, baseline);
    if (lack !== null) this.#tellOnce(rule.name, "incomparable", `${lack}; until then nothing is compared with it`);
  }

  /** Nobody waits for it to be written down. */
  #tellOnce(rule: string, code: string, reason: string): void {
    const key = `${rule} ${code}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#run.emit("warning", silence(rule, code, reason)).catch((thrown: unknown) => {
      this.#told.delete(key);
      if (!this.#signal.aborted) this.#report(thrown, "telling that a metric is silent");
    });
  }

  #report(thrown: unknown, doing: string): void {
    const { parts, deployment, id, context } = this.#run;
    parts.report(toTealError(thrown), { ...aboutOf(deployment, { id, attempt: context.attempt }), doing });
  }
}
