import { NO_TRAFFIC, plus } from "../../analysis/counters.ts";
import { formatCount } from "../../analysis/format.ts";
import { evaluate } from "../../analysis/guardrails.ts";
import { rulesOfTrial } from "../../analysis/sources.ts";
import { Trial } from "../../analysis/trial.ts";
import type { RuleVerdict, Subjects } from "../../analysis/verdict.ts";
import { toTealError } from "../../model/error.ts";
import { FINE_BUCKETS, fineBucketOf, latencyOf } from "../../model/latency.ts";
import type { ProbesSpec } from "../../model/service.ts";
import type { TrafficCounters } from "../../model/traffic.ts";
import type { CheckResult } from "../../ports/validation.ts";
import { aboutOf } from "../about.ts";
import type { StepRun } from "../step.ts";
import { earlierIn } from "./earlier.ts";
import { ProbeTargets } from "./probe-targets.ts";

/** To one environment at a time; what is due meanwhile is left out, so that a slow app is not pushed further. */
const MOST_UNDER_WAY = 4;
/** The probes' counts go on from what was stored: for the trial they are always the same counters. */
const EPOCH = "probes";

/**
 * Asks the instances of both environments itself while a step watches, past the proxy, and holds a trial of its own over
 * the answers. Where no instance is known, that is a failure like any other. It ends with the signal, and nobody waits for it.
 */
export class Probing {
  readonly #run: StepRun;
  readonly #spec: ProbesSpec;
  readonly #subjects: Subjects;
  readonly #signal: AbortSignal;
  readonly #targets: ProbeTargets;
  readonly #underWay = new Map<string, number>();
  readonly #onOutcome: () => void;
  #counters: Readonly<Record<string, TrafficCounters>>;
  #trial: Trial;
  #turn = 0;

  private constructor(run: StepRun, spec: ProbesSpec, trial: Trial, options: ProbingOptions) {
    const { subjects, signal, onOutcome } = options;
    this.#run = run;
    this.#spec = spec;
    this.#subjects = subjects;
    this.#signal = signal;
    this.#onOutcome = onOutcome;
    this.#targets = new ProbeTargets(run, signal);
    const { candidate, baseline } = trial.seen(subjects);
    const other = subjects.baseline === null || baseline === null ? {} : { [subjects.baseline]: baseline.total };
    this.#counters = { [subjects.candidate]: candidate, ...other };
    this.#trial = trial;
    if (!trial.hasBegun) this.#judge();
  }

  /** Goes on from what this step, or the one before it, has stored. Null: none are wished. */
  static async begin(run: StepRun, options: ProbingOptions): Promise<Probing | null> {
    const { deploy } = run.release.spec;
    const { probes } = deploy;
    if (probes === undefined) return null;
    const rules = rulesOfTrial(deploy);
    const stored = run.progress["probes"] ?? (await earlierIn(run, "probes"));
    const trial = stored === undefined ? Trial.begin(rules) : Trial.fromJSON(rules, stored);
    const probing = new Probing(run, probes, trial, options);
    void probing.#go();
    return probing;
  }

  verdicts(): readonly RuleVerdict[] {
    if (this.#trial.seen(this.#subjects).candidate.requests === 0) return [];
    return evaluate(this.#trial, this.#subjects).map((verdict): RuleVerdict => ({
      ...verdict,
      message: `by probes: ${verdict.message}`,
      source: "probes",
    }));
  }

  /** `312 probes of green, 0 failed`. */
  get summary(): string {
    return Object.entries(this.#counters)
      .map(([name, { requests, failures }], index) => {
        const probes =
          index === 0 ? (requests === 1 ? "1 probe" : `${formatCount(requests)} probes`) : formatCount(requests);
        return `${probes} of ${name}, ${formatCount(failures)} failed`;
      })
      .join("; ");
  }

  /** Of the new environment. */
  get requests(): number {
    return this.#counters[this.#subjects.candidate]?.requests ?? 0;
  }

  toJSON(): ReturnType<Trial["toJSON"]> {
    return this.#trial.toJSON();
  }

  async #go(): Promise<void> {
    const { clock } = this.#run.parts;
    const names = Object.keys(this.#counters);
    try {
      for (;;) {
        await this.#targets.refresh();
        const check = this.#spec.checks[this.#turn % this.#spec.checks.length];
        // Each check goes to each instance.
        const round = Math.floor(this.#turn / this.#spec.checks.length);
        for (const name of names) if (check !== undefined) void this.#ask(name, check, round);
        this.#turn += 1;
        await clock.sleep(this.#spec.everyMs, this.#signal);
      }
    } catch (thrown) {
      if (!this.#signal.aborted) this.#report(thrown);
    }
  }

  async #ask(name: string, check: ProbesSpec["checks"][number], round: number): Promise<void> {
    const underWay = this.#underWay.get(name) ?? 0;
    const addresses = this.#targets.of(name);
    if (underWay >= MOST_UNDER_WAY || addresses === null) return;
    const address = addresses[round % addresses.length];
    const { parts, deployment } = this.#run;
    const mark = { deployment: deployment.id, timeoutMs: this.#spec.timeoutMs };
    this.#underWay.set(name, underWay + 1);
    try {
      this.#count(
        name,
        address === undefined
          ? { passed: false, tookMs: 0 }
          : await parts.validator.probe(`http://${address}`, check, mark, this.#signal),
      );
    } catch (thrown) {
      if (!this.#signal.aborted) this.#report(thrown);
    } finally {
      this.#underWay.set(name, (this.#underWay.get(name) ?? 1) - 1);
    }
  }

  #count(name: string, { passed, tookMs }: Pick<CheckResult, "passed" | "tookMs">): void {
    if (this.#signal.aborted) return;
    const buckets = new Float64Array(FINE_BUCKETS);
    if (passed) buckets[fineBucketOf(tookMs)] = 1;
    const one = { ...NO_TRAFFIC, requests: 1, failures: passed ? 0 : 1, ...latencyOf(buckets) };
    this.#counters = { ...this.#counters, [name]: plus(this.#counters[name] ?? NO_TRAFFIC, one) };
    this.#judge();
    this.#onOutcome();
  }

  #judge(): void {
    const { parts, deployment } = this.#run;
    const sample = { service: deployment.service, epoch: EPOCH, at: parts.clock.now(), environments: this.#counters };
    this.#trial = this.#trial.add(sample, this.#subjects);
  }

  #report(thrown: unknown): void {
    const { parts, deployment, id, context } = this.#run;
    parts.report(toTealError(thrown), { ...aboutOf(deployment, { id, attempt: context.attempt }), doing: "probing" });
  }
}

export interface ProbingOptions {
  readonly subjects: Subjects;
  readonly signal: AbortSignal;
  /** Called after each answer. */
  readonly onOutcome: () => void;
}
