import { z } from "zod";
import { TealError } from "../../model/error.ts";
import type { MetricReading } from "../../model/metric.ts";
import { ActiveTest, activeState } from "../active-test.ts";
import { isCommon } from "../common.ts";
import { excessState, ExcessTest } from "../excess-test.ts";
import { isAsked, isMultiple, isRelative, lackOf, limitOf } from "./limit.ts";
import { ACTIONS, type MetricRule, provenOf } from "./rule.ts";
import { aged, hear, type Heard, plus, sideState, UNASKED, UNHEARD } from "./side.ts";

/** As it stands in a step's progress. Version 1 of its format; older ones are read for ever. */
const metricState = z.object({
  format: z.literal(1),
  candidate: sideState,
  baseline: sideState,
  /** By action, readings in a row beyond its limit. */
  beyond: z.record(z.string(), z.number()),
  /** Readings in a row within every limit that must be shown to be kept. */
  within: z.number(),
  /** By action with a share as its limit. */
  tests: z.record(z.string(), excessState),
  /** For a share that is compared with the active environment's. */
  active: activeState.nullable(),
  /** The active environment breaches the roll-back limit just now. */
  common: z.boolean(),
  /** Of the row beyond the roll-back limit, the readings up to the last one with a common cause; older trials have none. */
  shared: z.number().exactOptional(),
  /** What is compared was not counted over the same time, until both have been heard again. */
  parted: z.boolean().exactOptional(),
  /** Readings in a row that a multiple had nothing to be a multiple of. */
  missing: z.number().exactOptional(),
});
export type MetricState = z.output<typeof metricState>;

const BEGUN: MetricState = {
  format: 1,
  candidate: UNHEARD,
  baseline: UNHEARD,
  beyond: {},
  within: 0,
  tests: {},
  active: null,
  common: false,
  shared: 0,
};

/** Readings in a row beyond a gauge's roll-back limit while the active environment was not: those alone take back. */
export function rowAlone(state: MetricState): number {
  return (state.beyond["rollBack"] ?? 0) - sharedOf(state);
}

function sharedOf({ shared, common, beyond }: MetricState): number {
  return shared ?? (common ? (beyond["rollBack"] ?? 0) : 0);
}

/**
 * All that a source has said since a deployment's first traffic, and what its guardrail has made of it. What says nothing
 * changes nothing: with and without such readings the verdict on the others is the same. Immutable.
 */
export class MetricTrial {
  readonly rule: MetricRule;
  readonly state: MetricState;

  private constructor(rule: MetricRule, state: MetricState) {
    this.rule = rule;
    this.state = state;
  }

  static begin(rule: MetricRule): MetricTrial {
    return new MetricTrial(rule, BEGUN);
  }

  /** @throws `internal` when `value` is not what {@link toJSON} gave */
  static fromJSON(rule: MetricRule, value: unknown): MetricTrial {
    const read = metricState.safeParse(value);
    if (read.success) return new MetricTrial(rule, read.data);
    throw new TealError("internal", `the stored evidence of ${rule.name} cannot be read`, { cause: read.error });
  }

  toJSON(): MetricState {
    return this.state;
  }

  /** Whether multiples are not judged any more, after a row of readings without anything that they are multiples of. */
  get isLost(): boolean {
    return (this.state.missing ?? 0) >= this.rule.guardrail.readings;
  }

  /** `theirs`: of the active environment at the same time; null: nobody asked. */
  add(ours: MetricReading, theirs: MetricReading | null): MetricTrial {
    const { counting } = this.rule.guardrail;
    const candidate = hear(this.state.candidate, ours, counting);
    const baseline = theirs === null ? UNASKED : hear(this.state.baseline, theirs, counting);
    const said = this.#sought({ ...this.state, candidate: candidate.side, baseline: baseline.side }, candidate.isNew);
    if (counting !== "share") return new MetricTrial(this.rule, candidate.isNew ? this.#compared(said) : said);
    const aging = baseline.side.silent === null ? said : { ...said, baseline: aged(baseline.side) };
    const paired = this.#paired(aging, candidate, baseline);
    return new MetricTrial(this.rule, candidate.isNew ? this.#tested(paired) : paired);
  }

  /** A row towards a multiple outlives a short silence of what it is a multiple of, and is given up in a long one. */
  #sought(state: MetricState, isNew: boolean): MetricState {
    const { rule } = this;
    if (!isNew || !isRelative(rule)) return state;
    if (lackOf(rule, state.baseline, "") === null) return { ...state, missing: 0 };
    const missing = isAsked(state.baseline) ? (state.missing ?? 0) + 1 : rule.guardrail.readings;
    if (missing < rule.guardrail.readings) return { ...state, missing };
    const none = ACTIONS.filter((action) => isMultiple(rule, action)).map((action) => [action, 0] as const);
    return { ...state, missing, beyond: { ...state.beyond, ...Object.fromEntries(none) } };
  }

  /** A gauge against each of its limits. */
  #compared(state: MetricState): MetricState {
    const { value } = state.candidate;
    if (value === null) return state;
    const mustKeep = provenOf(this.rule);
    const judged = ACTIONS.flatMap((action) => {
      const limit = limitOf(this.rule, action, state.baseline);
      return limit === null ? [] : [{ action, isBeyond: this.#isBeyond(value, limit) }];
    });
    if (judged.length === 0) return state;
    const rows = judged.map(
      ({ action, isBeyond }) => [action, isBeyond ? (state.beyond[action] ?? 0) + 1 : 0] as const,
    );
    const isOut = judged.some(({ action, isBeyond }) => isBeyond && mustKeep.includes(action));
    const within = isOut ? 0 : state.within + 1;
    const beyond = { ...state.beyond, ...Object.fromEntries(rows) };
    const common = this.#suffers(state);
    const row = beyond["rollBack"] ?? 0;
    return { ...state, beyond, within, common, shared: common ? row : Math.min(row, sharedOf(state)) };
  }

  /** Whether the active environment is beyond the number that rolls back; a multiple of its own it cannot be beyond. */
  #suffers({ baseline }: MetricState): boolean {
    const limit = this.rule.guardrail.rollBack;
    if (limit === undefined || "factor" in limit || baseline.value === null) return false;
    return this.#isBeyond(baseline.value, limit.value);
  }

  #isBeyond(value: number, limit: number): boolean {
    return this.rule.guardrail.direction === "above" ? value > limit : value < limit;
  }

  /** A share by the tests that judge error rates. */
  #tested(state: MetricState): MetricState {
    const { alpha, guardrail } = this.rule;
    const { sum } = state.candidate;
    const rollBack = guardrail.rollBack;
    const { recent } = state.baseline;
    const spans = [recent.slice(-1), recent].map((some) => some.reduce(plus, UNHEARD.sum));
    const common = rollBack !== undefined && "value" in rollBack && isCommon(rollBack.value, spans);
    const tests = ACTIONS.flatMap((action) => {
      const limit = guardrail[action];
      if (limit === undefined || "factor" in limit) return [];
      const test = ExcessTest.of(limit.value, alpha);
      const before = state.tests[action] ?? test.begin();
      return [[action, common && action === "rollBack" ? test.skip(before, sum) : test.next(before, sum)] as const];
    });
    const active = state.parted === true ? state.active : this.#againstActive(state, false);
    return { ...state, tests: Object.fromEntries(tests), active, common };
  }

  /**
   * Counters that begin anew have lost what came before: then nothing is compared up to a reading of both, so that an
   * outage in that time does not speak against the one whose counts of it are known.
   */
  #paired(state: MetricState, candidate: Heard, baseline: Heard): MetricState {
    const isParted = state.parted === true || candidate.beganAnew || baseline.beganAnew;
    if (!isParted) return state;
    const areHeard = [candidate, baseline].every(({ isNew, beganAnew }) => isNew || beganAnew);
    if (!areHeard) return { ...state, parted: true };
    return { ...state, parted: false, active: this.#againstActive(state, true) };
  }

  #againstActive(state: MetricState, skips: boolean): MetricState["active"] {
    if (!isRelative(this.rule)) return null;
    const test = new ActiveTest(this.rule.alpha);
    const pair = { candidate: state.candidate.sum, baseline: state.baseline.sum };
    const before = state.active ?? test.begin(pair);
    return skips ? test.skip(before, pair) : test.next(before, pair);
  }
}
