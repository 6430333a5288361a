import type { GuardrailAction } from "../../model/guardrail.ts";
import { MARGIN } from "../active-test.ts";
import { formatCount, formatRate } from "../format.ts";
import { isBelow, lowestRate } from "../parity-test.ts";
import type { RuleVerdict, Subjects } from "../verdict.ts";
import { isMultiple, isRelative, lackOf, limitOf, numberOf } from "./limit.ts";
import { type MetricTrial, rowAlone } from "./metric-trial.ts";
import { ACTIONS, provenOf } from "./rule.ts";
import { plus, UNHEARD } from "./side.ts";

/** What one guardrail over a metric says of all that its source has said. */
export function metricVerdict(trial: MetricTrial, subjects: Subjects): RuleVerdict {
  const verdict = new MetricRuling(trial, subjects).verdict();
  const mustProve = !provenOf(trial.rule).includes("warn");
  return mustProve || verdict.outcome === "within" ? verdict : { ...verdict, proof: "not-needed" };
}

class MetricRuling {
  readonly #trial: MetricTrial;
  readonly #subjects: Subjects;

  constructor(trial: MetricTrial, subjects: Subjects) {
    this.#trial = trial;
    this.#subjects = subjects;
  }

  verdict(): RuleVerdict {
    const { candidate } = this.#trial.state;
    const found = ACTIONS.find((action) => this.#isBreached(action));
    // It stays convicted, whatever its source says afterwards, or does not say.
    if (found === "rollBack" && !this.#isSharedCause) return this.#breach(found, found);
    if (candidate.silent !== null) return this.#lacking("candidate", candidate.silent);
    if (found === "rollBack" || this.#suffers) return this.#breach("rollBack", "hold");
    if (found === "warn") return { ...this.#breach(found, found), ...this.#proof() };
    if (found !== undefined) return this.#breach(found, found);
    if (numberOf(this.#trial.rule.guardrail, candidate) === null)
      return this.#lacking("candidate", "its source has given no number yet");
    const limit = this.#limit;
    if (limit === null) return this.#incomparable(`${this.#says()}, but ${this.#lack ?? ""}`);
    const message = `${this.#says()}; the limit is ${this.#number(limit)}`;
    if (!this.#isShownGood()) return this.#lacking("candidate", message);
    if (this.#lack !== null) return this.#incomparable(`${message}; a multiple is not judged: ${this.#lack}`);
    return { ...this.#facts(), outcome: "within", breached: null, limit, message };
  }

  /** Until a row of such readings has come, it may be a passing silence, for which no step ends. */
  #incomparable(why: string): RuleVerdict {
    return this.#lacking(this.#trial.isLost ? "baseline" : "candidate", why);
  }

  /** Why a multiple has nothing to be a multiple of just now; null: it has, or there is none. */
  get #lack(): string | null {
    const { rule, state } = this.#trial;
    return isRelative(rule) ? lackOf(rule, state.baseline, String(this.#subjects.baseline)) : null;
  }

  #isBreached(action: GuardrailAction): boolean {
    const { state, rule } = this.#trial;
    if (!this.#isShare) return (state.beyond[action] ?? 0) >= rule.guardrail.readings;
    const limit = rule.guardrail[action];
    if (limit === undefined) return false;
    const isFactor = "factor" in limit;
    const isConvicted = isFactor ? state.active?.convicted : state.tests[action]?.convicted;
    if (isConvicted === null || isConvicted === undefined) return false;
    if (action === "rollBack") return true;
    const most = isFactor && this.#trial.isLost ? null : limitOf(rule, action, state.baseline);
    return most !== null && (numberOf(rule.guardrail, state.candidate) ?? 0) > most;
  }

  /** Of a gauge's row, which goes on in a common cause, as the hold does. A share's test leaves such readings out. */
  get #isSharedCause(): boolean {
    const { rule, state } = this.#trial;
    return !this.#isShare && rowAlone(state) < rule.guardrail.readings;
  }

  /** Of a share: both are beyond the limit just now. */
  get #suffers(): boolean {
    const { rule, state } = this.#trial;
    const limit = rule.guardrail.rollBack;
    if (!state.common || !this.#isShare || limit === undefined || "factor" in limit) return false;
    const { requests, failures } = state.candidate.recent.reduce(plus, UNHEARD.sum);
    return requests > 0 && failures / requests > limit.value;
  }

  get #isShare(): boolean {
    return this.#trial.rule.guardrail.counting === "share";
  }

  /** The strictest that is known. */
  get #limit(): number | null {
    const { rule, state } = this.#trial;
    const known = ACTIONS.filter((action) => !(this.#trial.isLost && isMultiple(rule, action)));
    return known.map((action) => limitOf(rule, action, state.baseline)).find((limit) => limit !== null) ?? null;
  }

  /** A warning hinders no step that waits for evidence, where what takes back or holds is shown to be kept. */
  #proof(): Pick<RuleVerdict, "proof"> {
    return this.#lack === null && this.#isShownGood() ? { proof: "shown" } : {};
  }

  #isShownGood(): boolean {
    const { state, rule } = this.#trial;
    if (!this.#isShare) return state.within >= rule.guardrail.readings;
    return provenOf(rule).every((action) => {
      const limit = rule.guardrail[action];
      if (limit === undefined || ("factor" in limit && this.#trial.isLost)) return true;
      const most = "value" in limit ? limit.value : Math.min(1, lowestRate(state.baseline.sum) + MARGIN);
      return isBelow(most, state.candidate.sum);
    });
  }

  #breach(breached: GuardrailAction, outcome: GuardrailAction): RuleVerdict {
    const { rule, state } = this.#trial;
    const limit = limitOf(rule, breached, state.baseline);
    const says = `${this.#says()}${limit === null ? "" : `; the limit is ${this.#number(limit)}`}`;
    const lack = isMultiple(rule, breached) && this.#lack !== null ? `; just now ${this.#lack}` : "";
    const message = `${says}; ${breached === outcome ? this.#ground(breached) : this.#commonCause()}${lack}`;
    return { ...this.#facts(), outcome, breached, limit, message };
  }

  #ground(action: GuardrailAction): string {
    const { rule, state } = this.#trial;
    const row = action === "rollBack" ? rowAlone(state) : (state.beyond[action] ?? 0);
    if (!this.#isShare) return `${formatCount(row)} readings in a row`;
    return `the odds that this is chance: below 1 in ${formatCount(Math.floor(1 / rule.alpha))}`;
  }

  #commonCause(): string {
    const { rule, state } = this.#trial;
    if (!state.common)
      return `a common cause has just ended: ${formatCount(rule.guardrail.readings)} readings in a row from there take it back`;
    return `just now ${String(this.#subjects.baseline)} is beyond the same limit, so the cause is common to both`;
  }

  #lacking(whose: "candidate" | "baseline", why: string): RuleVerdict {
    const message = `not enough evidence: ${this.#trial.rule.name}: ${why}`;
    return { ...this.#facts(), outcome: "not-enough-evidence", breached: null, limit: null, lacking: whose, message };
  }

  #facts(): Pick<RuleVerdict, "rule" | "observed" | "requests" | "lacking"> {
    const { rule, state } = this.#trial;
    const requests = this.#isShare ? state.candidate.sum.requests : 0;
    return {
      rule: rule.name,
      observed: numberOf(this.#trial.rule.guardrail, state.candidate),
      requests,
      lacking: null,
    };
  }

  /** `custom.queue-lag of green is 75, of blue 10`. */
  #says(): string {
    const { candidate, baseline } = this.#trial.state;
    const { requests, failures } = candidate.sum;
    const counted = this.#isShare ? ` (${formatCount(failures)} of ${formatCount(requests)})` : "";
    const other = numberOf(this.#trial.rule.guardrail, baseline);
    const theirs = other === null ? "" : `, of ${String(this.#subjects.baseline)} ${this.#number(other)}`;
    const ours = numberOf(this.#trial.rule.guardrail, candidate);
    const value = ours === null ? "not known" : `${this.#number(ours)}${counted}`;
    return `${this.#trial.rule.name} of ${this.#subjects.candidate} is ${value}${theirs}`;
  }

  #number(value: number): string {
    const { percent, counting } = this.#trial.rule.guardrail;
    if (percent || this.#isShare) return formatRate(value);
    return `${String(Number(value.toPrecision(4)))}${counting === "perMinute" ? " a minute" : ""}`;
  }
}
