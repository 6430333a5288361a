import { ActiveUsers } from "../../analysis/active-users.ts";
import { evaluate } from "../../analysis/guardrails.ts";
import { rulesOfTrial } from "../../analysis/sources.ts";
import { Trial } from "../../analysis/trial.ts";
import { CounterWindow } from "../../analysis/window.ts";
import type { RuleVerdict, Subjects } from "../../analysis/verdict.ts";
import type { NewEvent } from "../../model/event.ts";
import type { TrafficCounters, TrafficSample } from "../../model/traffic.ts";
import { MetricWatch } from "../metrics/metric-watch.ts";
import type { Stretch } from "../steady-traffic.ts";
import type { StepRun } from "../step.ts";
import { earlierIn } from "./earlier.ts";
import { Probing } from "./probing.ts";

/** Who is compared, and the traffic before the deployment's first split; null: not known. */
interface TrialWish {
  readonly environment: string;
  readonly baseline: string | null;
  readonly before: Stretch | null;
}

/** The deployment's one trial: this step's own, that of the step before it, or one that begins with what came before. */
async function trialOf(run: StepRun, { environment, baseline, before }: TrialWish): Promise<Trial> {
  const spec = rulesOfTrial(run.release.spec.deploy);
  const stored = run.progress["trial"] ?? (await earlierIn(run, "trial"));
  if (stored !== undefined) return Trial.fromJSON(spec, stored, run.resumedAt);
  const { window } = run.progress;
  // Written by a version that kept its counts alone.
  if (window !== undefined) return Trial.begin(spec, undefined, CounterWindow.fromJSON(window));
  const begun = Trial.begin(spec, baseline === null ? undefined : before?.environments[baseline]);
  return before === null ? begun : begun.add(before.newest, { candidate: environment, baseline });
}

/** What is to be said with what is kept; `probes`: how many it speaks of, null where it says nothing. */
interface Spoken {
  readonly events: readonly NewEvent[];
  readonly probes: number | null;
}

const NOTHING: Spoken = { events: [], probes: null };

/** What a watch goes by: users' requests as the data plane counts them, and probes where they are wished. */
export class Evidence {
  readonly #run: StepRun;
  readonly #subjects: Subjects;
  #trial: Trial;
  #users: ActiveUsers | null;
  #probing: Probing | null = null;
  /** Probes when it was last told how many. */
  #spokenAt = 0;
  #metrics: MetricWatch | null = null;

  private constructor(run: StepRun, subjects: Subjects, { trial, users }: { trial: Trial; users: ActiveUsers | null }) {
    this.#run = run;
    this.#subjects = subjects;
    this.#trial = trial;
    this.#users = users;
  }

  /** What this step has stored, or the one before it, or what begins with this one. */
  static async of(run: StepRun, wish: TrialWish): Promise<Evidence> {
    const subjects = { candidate: wish.environment, baseline: wish.baseline };
    const trial = await trialOf(run, wish);
    const stored = run.progress["users"] ?? (await earlierIn(run, "users"));
    const users = ActiveUsers.of(run.release.spec.deploy.guardrails, stored);
    const first = wish.before?.newest;
    const begun = stored === undefined && first !== undefined ? users?.add(first, subjects) : users;
    return new Evidence(run, subjects, { trial, users: begun ?? null });
  }

  /** Begins to ask for itself, until the signal aborts; `onOutcome` is called after each answer. */
  async probe(signal: AbortSignal, onOutcome: () => void): Promise<void> {
    this.#probing = await Probing.begin(this.#run, { subjects: this.#subjects, signal, onOutcome });
  }

  /** Begins to read the metrics of the guardrails, in the same way. */
  async readMetrics(signal: AbortSignal, onReading: () => void): Promise<void> {
    const { candidate: environment, baseline } = this.#subjects;
    this.#metrics = await MetricWatch.begin(this.#run, { environment, baseline }, signal);
    this.#metrics?.start(onReading);
  }

  add(sample: TrafficSample): void {
    this.#trial = this.#trial.add(sample, this.#subjects);
    this.#users = this.#users?.add(sample, this.#subjects) ?? null;
  }

  /** Whether there is anything to be stored. */
  get hasBegun(): boolean {
    return this.#trial.hasBegun || this.#probing !== null || this.#metrics !== null;
  }

  /** What was counted of users' requests to the new environment. */
  get candidate(): TrafficCounters {
    return this.#trial.countsOf(this.#subjects.candidate);
  }

  users(): readonly RuleVerdict[] {
    return this.candidate.requests === 0 ? [] : evaluate(this.#trial, this.#subjects);
  }

  probes(): readonly RuleVerdict[] {
    return this.#probing?.verdicts() ?? [];
  }

  /** How many users there are; it ends no step and takes nothing back, but may keep a step from ending. */
  activeUsers(): readonly RuleVerdict[] {
    const verdict = this.#users?.verdict(this.#subjects) ?? null;
    return verdict === null ? [] : [verdict];
  }

  metrics(): readonly RuleVerdict[] {
    return this.#metrics?.verdicts() ?? [];
  }

  /** Null: none are sent. */
  get probing(): { readonly summary: string; readonly requests: number } | null {
    return this.#probing;
  }

  /** For the step's progress. */
  stored(): Readonly<Record<string, unknown>> {
    return {
      ...(this.#trial.hasBegun ? { trial: this.#trial.toJSON() } : {}),
      ...(this.#users === null ? {} : { users: this.#users.toJSON() }),
      ...(this.#probing === null ? {} : { probes: this.#probing.toJSON(), message: this.#probing.summary }),
      ...(this.#metrics === null ? {} : { metrics: this.#metrics.toJSON() }),
    };
  }

  /**
   * How far the probes are, for the log: each time that they have doubled. Who follows the deployment reads it from the
   * step's progress; an event each time that is kept would fill the log of a long bake.
   */
  spoken(): Spoken {
    if (this.#probing === null) return NOTHING;
    const { summary: message, requests: probes } = this.#probing;
    if (probes === 0 || probes < 2 * this.#spokenAt) return NOTHING;
    return { probes, events: [this.#run.event("step-progress", { message, probes })] };
  }

  /** It is on record. */
  hasSpoken({ probes }: Spoken): void {
    this.#spokenAt = probes ?? this.#spokenAt;
  }
}
