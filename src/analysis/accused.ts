import type { Milliseconds } from "../model/time.ts";
import type { TrafficCounters } from "../model/traffic.ts";
import { type Charge, QUANTILES, REFERENCES } from "./charge.ts";
import { isCommon } from "./common.ts";
import { type ExcessState, ExcessTest } from "./excess-test.ts";
import type { Count } from "./mixture.ts";
import { countOf } from "./quantile.ts";
import { highestQuantile, slowerThan } from "./reference.ts";

/** Of a charge's α, for a reference that is too low by chance. */
const REFERENCE_SHARE = 0.1;

/** What a charge has come to, as it stands in a step's progress. */
export interface Accused {
  /** Slower than this counts as a failure; null: failures count, or the reference is not known yet. */
  readonly ms: Milliseconds | null;
  readonly test: ExcessState;
  /** Convicted while the active environment breached the same limit: that convicts nobody. */
  readonly common: boolean;
}

/** What was counted of both environments since the deployment's first traffic. */
export interface Seen {
  readonly candidate: TrafficCounters;
  /** Null: no other environment is compared with. */
  readonly baseline: {
    readonly total: TrafficCounters;
    /** Of the last seconds. */
    readonly recent: readonly TrafficCounters[];
    /** All of its latencies that are known, also from before. */
    readonly latency: readonly number[];
  } | null;
}

export function accuse(charge: Charge): Accused {
  const { counting } = charge;
  return { ms: counting.kind === "slower" ? counting.ms : null, test: testOf(charge).begin(), common: false };
}

/** A limit that is not known yet is frozen as soon as it can be; then the test takes what is new. */
export function weigh(charge: Charge, before: Accused, seen: Seen): Accused {
  const ms = before.ms ?? referenceOf(charge, seen);
  if (charge.counting.kind !== "failed" && ms === null) return before;
  const total = countOfCharge(charge, ms, seen.candidate);
  const test = testOf(charge).next(before.test, total);
  if (test.convicted === null) return { ms, test, common: false };
  const common = isShared(charge, ms, seen);
  // The common cause is over: what it did to the new environment is no evidence against it.
  if (before.common && !common) return { ms, test: testOf(charge).begin(total), common: false };
  return { ms, test, common: before.common || (common && before.test.convicted === null) };
}

/** What counts as a failure of this environment, and of how many. */
export function countOfCharge({ counting }: Charge, ms: Milliseconds | null, counters: TrafficCounters): Count {
  if (counting.kind === "failed") return { requests: counters.requests, failures: counters.failures };
  return { requests: countOf(counters.latency), failures: ms === null ? 0 : slowerThan(counters.latency, ms) };
}

function isShared(charge: Charge, ms: Milliseconds | null, { baseline }: Seen): boolean {
  if (baseline === null || charge.action !== "rollBack") return false;
  const all = [baseline.total, ...baseline.recent];
  return isCommon(
    charge.limit,
    all.map((counters) => countOfCharge(charge, ms, counters)),
  );
}

/** The multiple of the active environment's quantile, at the most that it can be. */
function referenceOf({ counting, alpha }: Charge, { baseline }: Seen): Milliseconds | null {
  if (counting.kind !== "slower-than-active" || baseline === null) return null;
  if (countOf(baseline.latency) < REFERENCES[counting.stage]) return null;
  const most = highestQuantile(baseline.latency, QUANTILES[counting.quantile], alpha * REFERENCE_SHARE);
  return most === null ? null : most * counting.factor;
}

function testOf({ limit, alpha, counting }: Charge): ExcessTest {
  return new ExcessTest(limit, counting.kind === "slower-than-active" ? alpha * (1 - REFERENCE_SHARE) : alpha);
}
