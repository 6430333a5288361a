import type { Milliseconds } from "../model/time.ts";
import type { TrafficCounters } from "../model/traffic.ts";
import { type Charge, neededFor, QUANTILES } from "./charge.ts";
import { judged } from "./clients.ts";
import { isCommon } from "./common.ts";
import { type ExcessState, ExcessTest } from "./excess-test.ts";
import { countOf, type Latencies, slowerThan } from "./latencies.ts";
import type { Count } from "./mixture.ts";
import { referenceTo } from "./reference.ts";

/** Of a charge's α, for a reference that is too low by chance. */
const REFERENCE_SHARE = 0.3;

/** What a charge has come to, as it stands in a step's progress. */
export interface Accused {
  /** Slower than this counts as a failure; null: failures count, or the reference is not known yet. */
  readonly ms: Milliseconds | null;
  /** The share of requests that may count as failures. */
  readonly limit: number;
  readonly test: ExcessState;
  /** The active environment breaches the same limit just now: what comes meanwhile is not judged. */
  readonly common: boolean;
}

/** What was counted of both environments since the deployment's first traffic. */
export interface Seen {
  readonly candidate: TrafficCounters;
  /** Of the last seconds. */
  readonly recent: readonly TrafficCounters[];
  /** Null: no other environment is compared with. */
  readonly baseline: {
    readonly total: TrafficCounters;
    /** Of the last seconds. */
    readonly recent: readonly TrafficCounters[];
    /** All of its latencies that are known, also from before. */
    readonly latencies: Latencies;
  } | null;
}

export function accuse(charge: Charge): Accused {
  const { counting, limit } = charge;
  const ms = counting.kind === "slower" ? counting.ms : null;
  return { ms, limit, test: testOf(charge, limit).begin(), common: false };
}

/** A limit that is not known yet is frozen as soon as it can be; then the test takes what is new. */
export function weigh(charge: Charge, before: Accused, seen: Seen): Accused {
  const known = before.ms === null ? referenceOf(charge, seen) : null;
  const { limit } = known === null ? before : charge;
  const ms = known ?? before.ms;
  if (charge.counting.kind !== "failed" && ms === null) return before;
  const total = countOfCharge(charge, ms, seen.candidate);
  const excess = testOf(charge, limit);
  const begun = known === null ? before.test : excess.begin();
  const common = isShared(charge, { ms, limit }, seen);
  return { ms, limit, test: common ? excess.skip(begun, total) : excess.next(begun, total), common };
}

/** What counts as a failure of this environment, and of how many. */
export function countOfCharge({ counting }: Charge, ms: Milliseconds | null, counters: TrafficCounters): Count {
  if (counting.kind === "failed") return judged(counters);
  return { requests: countOf(counters), failures: ms === null ? 0 : slowerThan(counters, ms) };
}

/** What comes while the active environment breaches the same limit is no evidence against the new one. */
function isShared(charge: Charge, { ms, limit }: Pick<Accused, "ms" | "limit">, { baseline }: Seen): boolean {
  if (baseline === null || charge.action !== "rollBack") return false;
  return isCommon(
    limit,
    baseline.recent.map((counters) => countOfCharge(charge, ms, counters)),
  );
}

function referenceOf({ counting, alpha }: Charge, { baseline }: Seen): Milliseconds | null {
  if (counting.kind !== "slower-than-active" || baseline === null) return null;
  if (countOf(baseline.latencies) < neededFor(counting)) return null;
  return referenceTo(baseline.latencies, QUANTILES[counting.quantile], counting.factor, alpha * REFERENCE_SHARE);
}

/** The test that a charge is tried by, at its limit as it is known now. */
export function testOf({ alpha, counting }: Charge, limit: number): ExcessTest {
  return ExcessTest.of(limit, counting.kind === "slower-than-active" ? alpha * (1 - REFERENCE_SHARE) : alpha);
}
