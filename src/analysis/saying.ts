import { type Accused, countOfCharge, type Seen } from "./accused.ts";
import { type Charge, QUANTILES } from "./charge.ts";
import { formatCount, formatMilliseconds, formatRate } from "./format.ts";
import type { Count } from "./mixture.ts";
import { quantile } from "./quantile.ts";
import type { Subjects } from "./verdict.ts";

/** What was observed of a rule's metric. */
export interface Observation {
  /** A rate, or the quantile in milliseconds; null when nothing was seen. */
  readonly observed: number | null;
  readonly text: string;
}

/** `green fails 4.1 % (37 of 902), blue 0.2 %`; `p95 of green is 900 ms, that of blue 40 ms`. */
export function observe(rule: Charge["rule"], seen: Seen, { candidate, baseline }: Subjects): Observation {
  if (rule !== "errorRate") return observeLatency(rule, seen, { candidate, baseline });
  const other = seen.baseline === null ? null : rateOf(seen.baseline.total);
  const text = `${candidate} fails ${share(seen.candidate)}${other === null ? "" : `, ${String(baseline)} ${formatRate(other)}`}`;
  return { observed: rateOf(seen.candidate), text };
}

function observeLatency(rule: `latency.${keyof typeof QUANTILES}`, seen: Seen, subjects: Subjects): Observation {
  const name = rule.slice("latency.".length) as keyof typeof QUANTILES;
  const observed = quantile(seen.candidate, QUANTILES[name])?.estimate ?? null;
  const other = seen.baseline === null ? null : (quantile(seen.baseline.latencies, QUANTILES[name])?.estimate ?? null);
  const ours = observed === null ? "not known" : formatMilliseconds(observed);
  const theirs = other === null ? "" : `, that of ${String(subjects.baseline)} ${formatMilliseconds(other)}`;
  return { observed, text: `${name} of ${subjects.candidate} is ${ours}${theirs}` };
}

/** `; the limit is 5 %`; `; 12 % (24 of 200) take longer than 150 ms, and 5 % may`. */
export function sayLimit(charge: Charge, { ms, limit }: Pick<Accused, "ms" | "limit">, seen: Seen): string {
  if (charge.counting.kind === "failed") return `; the limit is ${formatRate(limit)}`;
  if (ms === null) return "";
  const slow = share(countOfCharge(charge, ms, seen.candidate));
  return `; ${slow} take longer than ${formatMilliseconds(ms)}, and ${formatRate(limit)} may`;
}

/** `; the odds that this is chance: below 1 in 1,000; decided after 61 requests`. */
export function sayOdds(alpha: number, decidedAfter: number): string {
  const odds = formatCount(Math.floor(1 / alpha));
  return `; the odds that this is chance: below 1 in ${odds}; decided after ${formatCount(decidedAfter)} requests`;
}

export function rateOf({ requests, failures }: Count): number | null {
  return requests === 0 ? null : failures / requests;
}

function share(count: Count): string {
  return `${formatRate(rateOf(count) ?? 0)} (${formatCount(count.failures)} of ${formatCount(count.requests)})`;
}
