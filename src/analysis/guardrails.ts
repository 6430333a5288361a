import { countOfCharge, type Seen } from "./accused.ts";
import { FACTOR, MARGIN } from "./active-test.ts";
import { type Charge, errorRateAlpha } from "./charge.ts";
import { isOfFew, LEAST_CLIENTS } from "./clients.ts";
import { formatCount, formatRate } from "./format.ts";
import { countOf } from "./latencies.ts";
import { isBelow, lowestRate } from "./parity-test.ts";
import { observe, rateOf, sayLimit, sayOdds } from "./saying.ts";
import type { Trial } from "./trial.ts";
import type { RuleVerdict, Subjects } from "./verdict.ts";

/**
 * One verdict for each rule that has a limit, and one for `worseThanActive` once that has convicted: shown to be worse
 * (the action of the strictest limit that is exceeded), shown to be not worse (`within`), or not enough evidence. Nothing
 * is said for or against a release before it has answered `minRequests`.
 */
export function evaluate(trial: Trial, subjects: Subjects): readonly RuleVerdict[] {
  const seen = trial.seen(subjects);
  const rules = Map.groupBy(trial.charges, ({ rule }) => rule);
  const verdicts = [...rules.values()].map((charges) => new RuleOfTrial(trial, charges, seen, subjects).verdict());
  const compared = compare(trial, seen, subjects);
  return compared === null ? verdicts : [...verdicts, compared];
}

/**
 * Whether the rules have shown that the release is not worse, so that more traffic needs no more time. Limits that only
 * warn need not be kept: a service that is slower than they allow by its nature could never show it.
 */
export function isShownGood(verdicts: readonly RuleVerdict[]): boolean {
  const isShown = ({ outcome, proof }: RuleVerdict): boolean => outcome === "within" || proof === "shown";
  return verdicts.some(isShown) && verdicts.every((verdict) => !isWanting(verdict));
}

/** Whether a step that waits for evidence waits for this. One that compares with too few others' requests is left out. */
export function isWanting({ outcome, lacking, proof }: RuleVerdict): boolean {
  return outcome !== "within" && lacking !== "baseline" && proof === undefined;
}

class RuleOfTrial {
  readonly #trial: Trial;
  readonly #charges: readonly Charge[];
  readonly #seen: Seen;
  readonly #subjects: Subjects;

  constructor(trial: Trial, charges: readonly Charge[], seen: Seen, subjects: Subjects) {
    this.#trial = trial;
    this.#charges = charges;
    this.#seen = seen;
    this.#subjects = subjects;
  }

  verdict(): RuleVerdict {
    const requests = this.#requests();
    const needed = Math.max(1, this.#trial.spec.minRequests);
    if (requests < needed) {
      const of = `${formatCount(requests)} of the ${formatCount(needed)} requests that a verdict needs`;
      const lacking = this.#lacking("candidate", `${this.#subjects.candidate} has answered ${of}`);
      return this.#needed(this.#charges).length === 0 ? { ...lacking, proof: "not-needed" } : lacking;
    }
    const convicted = this.#charges.find((charge) => this.#stands(charge));
    const common = this.#charges.find((charge) => this.#suffers(charge));
    if (convicted !== undefined && this.#action(convicted) === "rollBack") return this.#conviction(convicted);
    if (common !== undefined) return this.#commonCause(common);
    const open = this.#charges.filter((charge) => charge.counting.kind === "failed" || this.#ms(charge) !== null);
    if (convicted !== undefined) {
      const conviction = this.#conviction(convicted);
      return conviction.outcome === "warn" ? { ...conviction, ...this.#proof(open) } : conviction;
    }
    const [strictest] = open;
    const { text } = this.#observation();
    if (strictest === undefined) {
      const { baseline } = this.#subjects;
      const why = baseline === null ? "there is no other environment" : `${baseline} has too few requests`;
      return this.#lacking("baseline", `${text}, but ${why} to compare with`);
    }
    const says = `${text}${sayLimit(strictest, this.#trial.accused(strictest), this.#seen)}`;
    const proof = this.#proof(open);
    if (proof.proof !== "shown" && !open.every((charge) => this.#isShownGood(charge))) {
      const isOfFew = open.some(
        (charge) => this.#isOfFew(charge) && this.#trial.accused(charge).test.convicted !== null,
      );
      const few = isOfFew ? `; so far they are failures of fewer than ${String(LEAST_CLIENTS)} clients` : "";
      return { ...this.#lacking("candidate", `${says}${few}`), ...proof };
    }
    return { ...this.#facts(), outcome: "within", breached: null, limit: this.#limit(strictest), message: says };
  }

  #conviction(charge: Charge): RuleVerdict {
    const { test } = this.#trial.accused(charge);
    const { text } = this.#observation();
    const says = `${text}${sayLimit(charge, this.#trial.accused(charge), this.#seen)}`;
    const odds = sayOdds(charge.alpha, test.convicted?.requests ?? 0);
    const outcome = this.#action(charge);
    const memory = outcome === charge.action ? "" : "; nothing runs beside it to compare with, so it is not taken back";
    const limit = this.#limit(charge);
    return { ...this.#facts(), outcome, breached: charge.action, limit, message: `${says}${odds}${memory}` };
  }

  /** Compared with a memory alone, which may be of another time of the day, nothing is taken back (DESIGN section 7). */
  #action({ action, counting }: Charge): Charge["action"] {
    const isMemory = counting.kind === "slower-than-active" && this.#subjects.baseline === null;
    return isMemory && action === "rollBack" ? "hold" : action;
  }

  /** Both environments are beyond the limit just now: no reason to go back, nor to go on. */
  #commonCause(charge: Charge): RuleVerdict {
    const { text } = this.#observation();
    const says = `${text}${sayLimit(charge, this.#trial.accused(charge), this.#seen)}`;
    const message = `${says}; just now ${String(this.#subjects.baseline)} is beyond the same limit, so the cause is common to both`;
    return { ...this.#facts(), outcome: "hold", breached: charge.action, limit: this.#limit(charge), message };
  }

  #suffers(charge: Charge): boolean {
    const { common, limit, ms } = this.#trial.accused(charge);
    return common && this.#seen.recent.some((span) => (rateOf(countOfCharge(charge, ms, span)) ?? 0) > limit);
  }

  /** A release that rolls back stays convicted; a hold or a warning ends when the share is within its limit again. */
  #stands(charge: Charge): boolean {
    const { test, limit } = this.#trial.accused(charge);
    if (test.convicted === null || this.#isOfFew(charge)) return false;
    const share = rateOf(countOfCharge(charge, this.#ms(charge), this.#seen.candidate)) ?? 0;
    return this.#action(charge) === "rollBack" || share > limit;
  }

  #proof(open: readonly Charge[]): Pick<RuleVerdict, "proof"> {
    const needed = this.#needed(open);
    if (needed.length === 0) return { proof: "not-needed" };
    return needed.every((charge) => this.#isShownGood(charge)) ? { proof: "shown" } : {};
  }

  /** Limits that take back or hold; of failures any limit, as what is shown of them is the same for all. */
  #needed(charges: readonly Charge[]): readonly Charge[] {
    return charges.filter(({ action, counting }) => action !== "warn" || counting.kind === "failed");
  }

  /** Of failures: no more than a point above the active environment's; of slow requests: fewer than may be. */
  #isShownGood(charge: Charge): boolean {
    const { baseline, candidate } = this.#seen;
    const { limit, ms } = this.#trial.accused(charge);
    // Of a single client's repeated failures, too: what is left out of them would speak for the release.
    if (charge.counting.kind !== "failed") return isBelow(limit, countOfCharge(charge, ms, candidate));
    return isBelow(baseline === null ? limit : Math.min(1, lowestRate(baseline.total) + MARGIN), candidate);
  }

  /** Failures of one or two clients say nothing of the others. */
  #isOfFew({ counting }: Charge): boolean {
    return counting.kind === "failed" && isOfFew(this.#seen.candidate);
  }

  #lacking(whose: "candidate" | "baseline", why: string): RuleVerdict {
    const message = `not enough evidence: ${why}`;
    return { ...this.#facts(), outcome: "not-enough-evidence", breached: null, limit: null, lacking: whose, message };
  }

  #facts(): Pick<RuleVerdict, "rule" | "observed" | "requests" | "lacking"> {
    return { rule: this.#rule, observed: this.#observation().observed, requests: this.#requests(), lacking: null };
  }

  #observation(): ReturnType<typeof observe> {
    return observe(this.#rule, this.#seen, this.#subjects);
  }

  #requests(): number {
    const { candidate } = this.#seen;
    return this.#rule === "errorRate" ? candidate.requests : countOf(candidate);
  }

  get #rule(): Charge["rule"] {
    return this.#charges[0]?.rule ?? "errorRate";
  }

  /** In the unit of what is observed. */
  #limit(charge: Charge): number | null {
    return charge.counting.kind === "failed" ? charge.limit : this.#ms(charge);
  }

  #ms(charge: Charge): number | null {
    return this.#trial.accused(charge).ms;
  }
}

/** Null as long as nothing is shown: what is within the limit is said by the error rate's own rule. */
function compare(trial: Trial, seen: Seen, subjects: Subjects): RuleVerdict | null {
  const { worseThanActive: action, minRequests } = trial.spec;
  const convicted = trial.active?.convicted ?? null;
  const { requests } = seen.candidate;
  if (action === undefined || action === "none" || convicted === null || requests < minRequests) return null;
  if (isOfFew(seen.candidate)) return null;
  const { observed, text } = observe("errorRate", seen, subjects);
  const limit = FACTOR * (seen.baseline === null ? 0 : (rateOf(seen.baseline.total) ?? 0)) + MARGIN;
  const stands = action === "rollBack" || (observed ?? 0) > limit;
  if (!stands) return null;
  const allowed = `more than ${String(FACTOR)} times as often and ${formatRate(MARGIN)} beyond`;
  const message = `${text}: ${allowed}${sayOdds(errorRateAlpha(trial.spec), convicted)}`;
  return {
    rule: "worseThanActive",
    outcome: action,
    breached: action,
    observed,
    limit,
    requests,
    lacking: null,
    message,
  };
}
