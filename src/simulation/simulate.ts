import type { GuardrailRule } from "../analysis/verdict.ts";
import { ALPHA } from "../model/guardrail.ts";
import type { ServiceSpec } from "../model/service.ts";
import type { Milliseconds } from "../model/time.ts";
import { lowerBound, upperBound } from "./clopper-pearson.ts";
import { streamOf } from "./random.ts";
import { type RunOutcome, simulateRun } from "./run.ts";
import { goodOne, type Scenario } from "./scenario.ts";
import { type Stage, stagesOf } from "./stages.ts";

/** Runs of each kind, unless they are told, or so many looks at the counters have been simulated before. */
const MOST_RUNS = 1_000;
const MOST_LOOKS = 80_000;
/** What is said of shares holds with a confidence of 95 %. */
const ERROR = 0.05;

export interface SimulationWish {
  readonly spec: ServiceSpec;
  readonly scenario: Scenario;
  readonly seed: number;
  /** Of each kind; null: as many as take some seconds. */
  readonly runs: number | null;
}

/** Of something that differs from run to run; null: so many runs never come to it. */
export interface Spread {
  readonly median: number | null;
  readonly p95: number | null;
}

export interface Simulation extends Detection {
  readonly good: FalseAlarms;
}

/** How the release that is described is caught. */
export interface Detection {
  readonly stages: readonly Stage[];
  readonly runs: number;
  /** Of those, taken back by a guardrail after the release had turned bad. */
  readonly caught: number;
  /** Taken back as they could not be shown to be good, held until nobody had answered, or before they were bad. */
  readonly otherwise: { readonly notShownGood: number; readonly held: number; readonly early: number };
  readonly neverCaught: number;
  /** With a confidence of 95 %: the share that is never caught is at most this. */
  readonly neverCaughtAtMost: number;
  /** From when it turned bad. */
  readonly detectMs: Spread;
  readonly failed: Spread;
  readonly slowed: Spread;
  /** Null: users were not looked at. */
  readonly usersHurt: Spread | null;
  /** By step and by rule, how many were caught there. */
  readonly steps: Readonly<Record<string, number>>;
  readonly rules: Partial<Readonly<Record<GuardrailRule, number>>>;
  /** Failed and slowed requests to the end of the plan when nothing watches, on average. */
  readonly unwatched: number;
  /** Each run's time to detect, the soonest first; those never caught are left out. */
  readonly detections: readonly Milliseconds[];
  /** Number of the run whose time to detect is the median: one that is never caught when half of them are not. */
  readonly typical: number;
}

export interface FalseAlarms {
  readonly runs: number;
  readonly takenBack: number;
  /** With a confidence of 95 %, each. */
  readonly atLeast: number;
  readonly atMost: number;
  /** What the guardrails promise: `guardrails.alpha`. */
  readonly promised: number;
}

/** Many deployments of the release that is described, and of one that is as good as the active one. */
export function simulate(wish: SimulationWish): Simulation {
  return { ...badRelease(wish), good: falseAlarms(wish) };
}

export function badRelease({ spec, scenario, seed, runs }: SimulationWish): Detection {
  const { deploy } = spec;
  const stages = stagesOf(spec);
  const outcomes = series(runs, (run) => simulateRun({ deploy, stages, scenario }, streamOf(seed, run)));
  return { stages, ...summary(outcomes, scenario), unwatched: unwatchedAt({ stages, scenario }, Infinity) };
}

export function falseAlarms({ spec, scenario, seed, runs }: SimulationWish): FalseAlarms {
  const { deploy } = spec;
  const what = { deploy, stages: stagesOf(spec), scenario: goodOne(scenario) };
  const good = series(runs, (run) => simulateRun(what, streamOf(seed, -1 - run)));
  const takenBack = good.filter(({ kind }) => kind === "taken-back").length;
  return {
    runs: good.length,
    takenBack,
    atLeast: lowerBound(takenBack, good.length, ERROR),
    atMost: upperBound(takenBack, good.length, ERROR),
    promised: deploy.guardrails.alpha ?? ALPHA,
  };
}

/** Bounded by what was simulated and not by a clock: the same seed gives the same answer on any machine. */
function series(runs: number | null, simulateOne: (run: number) => RunOutcome): RunOutcome[] {
  const outcomes: RunOutcome[] = [];
  let looks = 0;
  const most = { runs: runs ?? MOST_RUNS, looks: runs === null ? MOST_LOOKS : Infinity };
  while (outcomes.length < most.runs && looks < most.looks) {
    const outcome = simulateOne(outcomes.length);
    looks += outcome.looks;
    outcomes.push(outcome);
  }
  return outcomes;
}

function summary(outcomes: readonly RunOutcome[], scenario: Scenario) {
  const isCaught = ({ kind, at }: RunOutcome): boolean => kind === "taken-back" && at > scenario.afterMs;
  const caught = outcomes.filter(isCaught);
  const times = outcomes.map((outcome) => (isCaught(outcome) ? outcome.at - scenario.afterMs : Infinity));
  const completed = outcomes.filter(({ kind }) => kind === "completed").length;
  const byTime = [...times.keys()].toSorted((a, b) => (times[a] ?? 0) - (times[b] ?? 0));
  const count = (kind: RunOutcome["kind"]): number => outcomes.filter((outcome) => outcome.kind === kind).length;
  return {
    runs: outcomes.length,
    caught: caught.length,
    otherwise: {
      notShownGood: count("not-shown-good"),
      held: count("held"),
      early: count("taken-back") - caught.length,
    },
    neverCaught: completed,
    neverCaughtAtMost: upperBound(completed, outcomes.length, ERROR),
    detectMs: spread(times),
    failed: spread(outcomes.map(({ failed }) => failed)),
    slowed: spread(outcomes.map(({ slowed }) => slowed)),
    usersHurt: scenario.users === null ? null : spread(outcomes.map(({ usersHurt }) => usersHurt)),
    steps: tally(caught.map(({ step }) => step)),
    rules: tally(caught.map(({ rule }) => rule)),
    detections: times.filter(Number.isFinite).toSorted((a, b) => a - b),
    typical: byTime[rank(0.5, byTime.length)] ?? 0,
  };
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number | null => {
    const value = sorted[rank(q, sorted.length)];
    return value === undefined || !Number.isFinite(value) ? null : value;
  };
  return { median: at(0.5), p95: at(0.95) };
}

/** Index of the nearest rank. */
function rank(q: number, n: number): number {
  return Math.max(0, Math.ceil(q * n) - 1);
}

function tally<K extends string>(keys: readonly (K | null)[]): Record<K, number> {
  const counts: Partial<Record<K, number>> = {};
  for (const key of keys) if (key !== null) counts[key] = (counts[key] ?? 0) + 1;
  return counts as Record<K, number>;
}

/** Failed and slowed requests so far when nothing watches and the plan goes on by time, on average. */
export function unwatchedAt(
  { stages, scenario }: { readonly stages: readonly Stage[]; readonly scenario: Scenario },
  at: Milliseconds,
): number {
  const { rate, failing, slow, afterMs } = scenario;
  let [now, requests] = [0, 0];
  for (const { weight, watchMs } of stages) {
    const bad = Math.max(0, Math.min(at, now + watchMs) - Math.max(now, afterMs));
    requests += (rate * bad * weight) / 100_000;
    now += watchMs;
  }
  return requests * (slow > 1 ? 1 : failing);
}
