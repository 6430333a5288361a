import { type FineLatency, fineBucketOf, LATENCY_BOUNDS_MS, NO_FINE_LATENCY } from "./latency.ts";
import type { EpochMilliseconds } from "./time.ts";

/** As of TrafficCounters. What was counted on the coarse grid alone goes to the upper bounds of its buckets. */
interface Counted {
  readonly latency: readonly number[];
  readonly fineLatency?: FineLatency;
}

/** A latency histogram (FINE_BOUNDS_MS) without its empty buckets: pairs of bucket and count. */
export type SparseHistogram = readonly (readonly [bucket: number, count: number])[];

/** What came of one environment in an interval. */
export interface SeriesCell {
  readonly requests: number;
  readonly failures: number;
  readonly connectFailures: number;
  readonly latency: SparseHistogram;
}

export interface SeriesPoint {
  /** End of the interval; it begins where the one before ends. */
  readonly at: EpochMilliseconds;
  /** Environments without traffic are left out. */
  readonly environments: Readonly<Record<string, SeriesCell>>;
}

/**
 * A piece of a deployment's traffic as it is kept for reports and replays; nothing is decided by it. Version 1. Pieces of a
 * deployment follow each other; a gap between them is a time in which no server was there.
 */
export interface SeriesChunk {
  readonly format: 1;
  readonly deployment: string;
  /** Beginning of the first interval. */
  readonly from: EpochMilliseconds;
  /** By environment, the latencies since the split had last changed, before the deployment's first; in its first piece. */
  readonly before?: Readonly<Record<string, SparseHistogram>>;
  readonly points: readonly SeriesPoint[];
}

export function sparse({ latency, fineLatency = NO_FINE_LATENCY }: Counted): SparseHistogram {
  const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
  const { from, counts } = fineLatency;
  const isFine = total(counts) === total(latency);
  const pairs = isFine
    ? counts.map((count, index) => [from + index, count] as const)
    : latency.map((count, bucket) => [fineBucketOf(LATENCY_BOUNDS_MS[bucket] ?? Infinity), count] as const);
  return pairs.filter(([, count]) => count > 0);
}

/** A step of a deployment that watched. */
export interface RecordedStage {
  readonly step: string;
  /** Percent of the traffic for the new environment, by the plan. */
  readonly weight: number;
  readonly from: EpochMilliseconds;
  /** Null: not yet. */
  readonly to: EpochMilliseconds | null;
  /** Whether the other environment was compared with. */
  readonly compared: boolean;
}

/** All that is kept of a deployment's traffic. */
export interface RecordedTraffic {
  readonly deployment: string;
  readonly service: string;
  /** The new environment. */
  readonly candidate: string;
  readonly baseline: string | null;
  readonly stages: readonly RecordedStage[];
  readonly before: Readonly<Record<string, SparseHistogram>>;
  /** In order; an interval that does not begin where the one before ends follows a time of which nothing is known. */
  readonly points: readonly (SeriesPoint & { readonly from: EpochMilliseconds })[];
}
