import { FINE_BOUNDS_MS, LATENCY_BOUNDS_MS } from "../model/latency.ts";
import type { Milliseconds } from "../model/time.ts";
import type { TrafficCounters } from "../model/traffic.ts";

/** What is known of how long requests took. */
export type Latencies = Pick<TrafficCounters, "latency" | "fineLatency">;

/** Requests that took longer than `lower`, and at most `upper`. */
export interface Bucket {
  readonly lower: Milliseconds;
  /** Infinity beyond the last bound. */
  readonly upper: Milliseconds;
  readonly count: number;
}

export function countOf({ latency }: Latencies): number {
  return total(latency);
}

/** The bounds of the finer grid when that knows of all requests, or else of the coarse one. */
export function boundsOf(latencies: Latencies): readonly Milliseconds[] {
  return isFine(latencies) ? FINE_BOUNDS_MS : LATENCY_BOUNDS_MS;
}

/** Ascending, of the grid of {@link boundsOf}; some that are empty are left out. */
export function bucketsOf(latencies: Latencies): readonly Bucket[] {
  const bounds = boundsOf(latencies);
  const { from, counts } = isFine(latencies) ? latencies.fineLatency : { from: 0, counts: latencies.latency };
  return counts.map((count, index) => ({
    lower: bounds[from + index - 1] ?? 0,
    upper: bounds[from + index] ?? Infinity,
    count,
  }));
}

/** How many were slower than `ms`, as far as buckets can tell: those of the bucket that it lies in are taken as not. */
export function slowerThan(latencies: Latencies, ms: Milliseconds): number {
  return bucketsOf(latencies).reduce((sum, { lower, count }) => (lower >= ms ? sum + count : sum), 0);
}

/** A data plane of before the finer grid has counted on the coarse one alone. */
function isFine(latencies: Latencies): latencies is Required<Latencies> {
  const { latency, fineLatency } = latencies;
  return fineLatency !== undefined && total(fineLatency.counts) === total(latency);
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
