import { z } from "zod";
import { TealError } from "../model/error.ts";
import type { GuardrailAction, GuardrailSpec } from "../model/guardrail.ts";
import { NO_FINE_LATENCY } from "../model/latency.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { TrafficCounters, TrafficSample } from "../model/traffic.ts";
import { type Accused, accuse, type Seen, testOf, weigh } from "./accused.ts";
import { ActiveTest, type ActiveState, activeState, type Pair } from "./active-test.ts";
import { type Charge, chargesOf, errorRateAlpha } from "./charge.ts";
import { judged } from "./clients.ts";
import { NO_TRAFFIC, plus } from "./counters.ts";
import { excessState } from "./excess-test.ts";
import type { Latencies } from "./latencies.ts";
import { Recent } from "./recent.ts";
import type { GuardrailRule, Subjects } from "./verdict.ts";
import { CounterWindow, fineLatency, windowState } from "./window.ts";

/** As it stands in a step's progress. Version 1 of its format; older ones are read for ever. */
const trialState = z.object({
  format: z.literal(1),
  window: windowState,
  /** The active environment's latencies before the deployment's first traffic. */
  before: z.array(z.number()),
  /** The same on the finer grid; older trials have none. */
  fineBefore: fineLatency.exactOptional(),
  charges: z.record(
    z.string(),
    z.object({ ms: z.number().nullable(), limit: z.number(), test: excessState, common: z.boolean() }),
  ),
  active: activeState.nullable(),
});
type TrialState = z.output<typeof trialState>;

/** What one test holds against a release. */
export interface Evidence {
  readonly key: string;
  readonly rule: GuardrailRule;
  readonly action: GuardrailAction;
  /** Of what convicts; 1 or more: convicted. */
  readonly share: number;
}

/**
 * All that was seen of a deployment since its first traffic, and what its guardrails have made of it. There is one for the
 * whole deployment: it goes on from step to step, and through a crash. Immutable; as large after a year as after a second.
 */
export class Trial {
  readonly spec: GuardrailSpec;
  readonly charges: readonly Charge[];
  readonly #state: TrialState;
  readonly #window: CounterWindow;
  readonly #recent: Recent;

  private constructor(spec: GuardrailSpec, state: TrialState, window: CounterWindow, recent: Recent) {
    this.spec = spec;
    this.charges = chargesOf(spec);
    this.#state = state;
    this.#window = window;
    this.#recent = recent;
  }

  /** `before`: the active environment's latencies before the shift, if they are known. */
  static begin(spec: GuardrailSpec, before: Latencies = NO_TRAFFIC, window = CounterWindow.empty): Trial {
    const charges = Object.fromEntries(chargesOf(spec).map((charge) => [charge.key, accuse(charge)]));
    const state: TrialState = {
      format: 1,
      window: window.toJSON(),
      before: [...before.latency],
      ...(before.fineLatency === undefined ? {} : { fineBefore: before.fineLatency }),
      charges,
      active: null,
    };
    return new Trial(spec, state, window, Recent.none);
  }

  /**
   * @param resumedAt since when it is watched again; null: it always was
   * @throws `internal` when `value` is not what {@link toJSON} gave
   */
  static fromJSON(spec: GuardrailSpec, value: unknown, resumedAt: EpochMilliseconds | null = null): Trial {
    const read = trialState.safeParse(value);
    if (!read.success)
      throw new TealError("internal", "the stored evidence of the guardrails cannot be read", { cause: read.error });
    const stored = CounterWindow.fromJSON(read.data.window);
    const window = resumedAt === null ? stored : stored.goingOnAt(resumedAt);
    return new Trial(spec, { ...read.data, window: window.toJSON() }, window, Recent.from(window));
  }

  /** What a stored trial knows of the active environment from before the shift; null: nothing that can be read. */
  static latenciesBefore(value: unknown): Latencies | null {
    const { data } = trialState.safeParse(value);
    if (data === undefined) return null;
    const { before: latency, fineBefore: fineLatency } = data;
    return { latency, ...(fineLatency === undefined ? {} : { fineLatency }) };
  }

  /** Whether a first reading has come. */
  get hasBegun(): boolean {
    return this.#window.hasBegun;
  }

  get active(): ActiveState | null {
    return this.#state.active;
  }

  add(sample: TrafficSample, subjects: Subjects): Trial {
    const window = this.#window.add(sample);
    const recent = this.#recent.add(sample.at, window);
    const next = new Trial(this.spec, this.#state, window, recent);
    const seen = next.seen(subjects);
    const charges = Object.fromEntries(
      this.charges.map((charge) => [charge.key, weigh(charge, this.accused(charge), seen)]),
    );
    const state = { ...this.#state, window: window.toJSON(), charges, active: next.#compared(seen) };
    return new Trial(this.spec, state, window, recent);
  }

  accused(charge: Charge): Accused {
    return this.#state.charges[charge.key] ?? accuse(charge);
  }

  /** Zeros for an environment that no reading has named. */
  countsOf(environment: string): TrafficCounters {
    return this.#window.of(environment);
  }

  seen({ candidate, baseline }: Subjects): Seen {
    const ours = { candidate: this.#window.of(candidate), recent: this.#recent.spans(candidate) };
    if (baseline === null) return { ...ours, baseline: null };
    const total = this.#window.of(baseline);
    const { before, fineBefore } = this.#state;
    const latencies = plus({ ...NO_TRAFFIC, latency: before, fineLatency: fineBefore ?? NO_FINE_LATENCY }, total);
    return { ...ours, baseline: { total, recent: this.#recent.spans(baseline), latencies } };
  }

  /** By test, what is held against the release, as a share of what convicts: for pictures; nothing is decided by it. */
  evidence(): Evidence[] {
    const charged = this.charges.map((charge) => {
      const accused = this.accused(charge);
      const share = testOf(charge, accused.limit).evidence(accused.test);
      return { key: charge.key, rule: charge.rule, action: charge.action, share };
    });
    const { worseThanActive: action } = this.spec;
    if (action === undefined || action === "none" || this.active === null) return charged;
    const share = new ActiveTest(errorRateAlpha(this.spec)).evidence(this.active);
    return [...charged, { key: "worseThanActive", rule: "worseThanActive", action, share }];
  }

  toJSON(): TrialState {
    return this.#state;
  }

  #compared({ candidate, baseline }: Seen): ActiveState | null {
    const { worseThanActive } = this.spec;
    const before = this.#state.active;
    if (baseline === null || worseThanActive === undefined || worseThanActive === "none") return before;
    const pair: Pair = { candidate: judged(candidate), baseline: pick(baseline.total) };
    const test = new ActiveTest(errorRateAlpha(this.spec));
    const nothing = { requests: 0, failures: 0 };
    return test.next(before ?? test.begin({ candidate: nothing, baseline: nothing }), pair);
  }
}

function pick({ requests, failures }: { readonly requests: number; readonly failures: number }): Pair["candidate"] {
  return { requests, failures };
}
