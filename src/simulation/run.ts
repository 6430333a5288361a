import { endingOf } from "../analysis/advance.ts";
import { evaluate, isShownGood } from "../analysis/guardrails.ts";
import { rulesOfTrial } from "../analysis/sources.ts";
import { type Evidence, Trial } from "../analysis/trial.ts";
import type { GuardrailRule, RuleVerdict, Subjects } from "../analysis/verdict.ts";
import type { DeploySpec } from "../model/service.ts";
import type { Milliseconds, Random } from "../model/time.ts";
import { Draw } from "./draw.ts";
import type { Scenario } from "./scenario.ts";
import { ACTIVE, CANDIDATE, type Stage } from "./stages.ts";
import { SimulatedTraffic } from "./traffic.ts";
import { Users } from "./users.ts";

/** The active environment has served alone this long before, for limits that are multiples of its latency. */
const BEFORE_MS: Milliseconds = 600_000;
/** A sample of the proxy. */
const SAMPLE_MS: Milliseconds = 100;
/** Looks are farther apart the longer nothing has changed, so that a day's bake can be simulated at all. */
const COARSER: readonly { readonly until: Milliseconds; readonly ms: Milliseconds }[] = [
  { until: 30_000, ms: SAMPLE_MS },
  { until: 300_000, ms: 1_000 },
  { until: 3_600_000, ms: 10_000 },
  { until: Infinity, ms: 60_000 },
];

/** How a simulated deployment ended. */
export interface RunOutcome {
  /**
   * `taken-back`: a guardrail decided it. `not-shown-good`: evidence was waited for in vain. `held`: a guardrail held it
   * until its step's deadline, as nobody answered. `completed`: never caught.
   */
  readonly kind: "taken-back" | "not-shown-good" | "held" | "completed";
  /** From the first traffic on. */
  readonly at: Milliseconds;
  /** Where it ended; null when completed. */
  readonly step: string | null;
  /** What decided; null without a verdict. */
  readonly rule: GuardrailRule | null;
  readonly failed: number;
  readonly slowed: number;
  readonly usersHurt: number;
  /** Requests of the new environment until then. */
  readonly requests: number;
  readonly looks: number;
}

/** What a picture shows of a run. */
export interface Look {
  readonly at: Milliseconds;
  readonly weight: number;
  readonly hurt: number;
  evidence(): readonly Evidence[];
}

/** One deployment from its first traffic to its end, judged by the guardrails themselves. */
export function simulateRun(
  { deploy, stages, scenario }: { deploy: DeploySpec; stages: readonly Stage[]; scenario: Scenario },
  random: Random,
  onLook: (look: Look) => void = () => undefined,
): RunOutcome {
  const run = new SimulatedRun(deploy, scenario, random, onLook);
  for (const stage of stages) {
    const outcome = run.watch(stage);
    if (outcome !== null) return outcome;
  }
  return run.outcome("completed", null, null);
}

class SimulatedRun {
  readonly #scenario: Scenario;
  readonly #traffic: SimulatedTraffic;
  readonly #users: Users;
  readonly #onLook: (look: Look) => void;
  #trial: Trial;
  #now: Milliseconds = 0;
  #failed = 0;
  #slowed = 0;
  #looks = 0;

  constructor(deploy: DeploySpec, scenario: Scenario, random: Random, onLook: (look: Look) => void) {
    const draw = new Draw(random);
    this.#scenario = scenario;
    this.#traffic = new SimulatedTraffic(scenario, draw);
    this.#users = new Users(scenario, draw);
    this.#onLook = onLook;
    const begun = Trial.begin(rulesOfTrial(deploy), this.#traffic.before(BEFORE_MS));
    this.#trial = begun.add(this.#traffic.sample(0), { candidate: CANDIDATE, baseline: ACTIVE });
  }

  /** Null: the step is done, and the deployment goes on. */
  watch(stage: Stage): RunOutcome | null {
    const { step, weight, watchMs, worstMs, advance, maxWaitMs, compared } = stage;
    const began = this.#now;
    const share = this.#users.shareAt(weight / 100);
    const subjects = { candidate: CANDIDATE, baseline: compared ? ACTIVE : null };
    for (;;) {
      const spent = this.#now - began;
      this.#look(share, subjects, watchMs - spent);
      this.#onLook({
        at: this.#now,
        weight,
        hurt: this.#failed + this.#slowed,
        evidence: () => this.#trial.evidence(),
      });
      const verdicts = this.#verdicts(subjects, advance !== "time");
      const convicted = verdicts.find(({ outcome }) => outcome === "rollBack");
      if (convicted !== undefined) return this.outcome("taken-back", step, convicted.rule);
      const held = verdicts.find(({ outcome }) => outcome === "hold");
      if (this.#now - began >= worstMs) return this.outcome("held", step, held?.rule ?? null);
      if (held !== undefined) continue;
      const leftMs = watchMs - (this.#now - began);
      const ending = endingOf({ advance, leftMs, maxWaitMs, isShownGood: isShownGood(verdicts) });
      if (ending === "evidence-lacking") return this.outcome("not-shown-good", step, null);
      if (ending === "over") return null;
    }
  }

  outcome(kind: RunOutcome["kind"], step: string | null, rule: GuardrailRule | null): RunOutcome {
    return {
      kind,
      at: this.#now,
      step,
      rule,
      failed: this.#failed,
      slowed: this.#slowed,
      usersHurt: this.#users.hurt,
      requests: this.#traffic.requests,
      looks: this.#looks,
    };
  }

  /** @param left of the step's time */
  #look(share: number, subjects: Subjects, left: Milliseconds): void {
    const { afterMs } = this.#scenario;
    const isBad = this.#now >= afterMs;
    const since = isBad ? this.#now - afterMs : this.#now;
    const coarse = COARSER.find(({ until }) => since < until)?.ms ?? SAMPLE_MS;
    const untilChange = Math.min(isBad ? Infinity : afterMs - this.#now, left > 0 ? left : Infinity);
    const ms = Math.min(coarse, untilChange);
    const { failed, slowed } = this.#traffic.go(ms, share, isBad);
    this.#failed += failed;
    this.#slowed += slowed;
    this.#users.meet(failed + slowed);
    this.#now += ms;
    this.#looks += 1;
    this.#trial = this.#trial.add(this.#traffic.sample(this.#now), subjects);
  }

  /** The words are left out where no test has convicted, as nothing is then held or taken back. */
  #verdicts(subjects: Subjects, always: boolean): readonly RuleVerdict[] {
    const { charges, active } = this.#trial;
    const convicted =
      (active?.convicted ?? null) !== null ||
      charges.some((charge) => this.#trial.accused(charge).test.convicted !== null);
    const anything = this.#trial.seen(subjects).candidate.requests > 0;
    return anything && (always || convicted) ? evaluate(this.#trial, subjects) : [];
  }
}
