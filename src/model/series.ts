import { type FineLatency, fineBucketOf, LATENCY_BOUNDS_MS, NO_FINE_LATENCY } from "./latency.ts";
import type { EpochMilliseconds, Milliseconds } from "./time.ts";

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
  /** As of TrafficCounters: absent where clients are not told apart, and in pieces of versions that did not keep it. */
  readonly clients?: { readonly failing: number; readonly repeats: number };
}

export interface SeriesPoint {
  /** End of the interval; it begins where the one before ends. By the recording's own time, see {@link SeriesChunk}. */
  readonly at: EpochMilliseconds;
  /** What the wall clock then showed beyond `at`, as it had been set meanwhile; absent: nothing. */
  readonly clockMs?: Milliseconds;
  /** The step that watched at its end; null: none did. Absent: not known, then it follows from the times of the steps. */
  readonly step?: string | null;
  /** Environments without traffic are left out. */
  readonly environments: Readonly<Record<string, SeriesCell>>;
}

/**
 * A piece of a deployment's traffic as it is kept for reports and replays; nothing is decided by it. Version 1. Pieces of a
 * deployment follow each other by their number. Times are those
 * of the wall clock when a server began to record, and go on by the monotonic one: within what one server has recorded they
 * never go back, whatever becomes of the wall clock.
 */
export interface SeriesChunk {
  readonly format: 1;
  readonly deployment: string;
  /** 0, 1, 2, … */
  readonly number: number;
  /** Beginning of the first interval. */
  readonly from: EpochMilliseconds;
  /** By environment, the latencies since the split had last changed, before the deployment's first; in its first piece. */
  readonly before?: Readonly<Record<string, SparseHistogram>>;
  readonly points: readonly SeriesPoint[];
  /** With which the next server goes on, so that what came while none was there is in its first interval. */
  readonly goesOn?: SeriesState;
}

/** A recording at the end of a piece. */
export interface SeriesState {
  /** The counters by then, as the window of analysis writes itself. */
  readonly counted: unknown;
  /** Intervals so far, and how long they are together. */
  readonly kept: number;
  readonly recordedMs: Milliseconds;
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

/** A step of a deployment that watched. Times are those of its row: of the wall clock. */
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
  /** In order, never back in time; one that does not begin where the one before ends follows a time of which nothing is known. */
  readonly points: readonly (SeriesPoint & { readonly from: EpochMilliseconds })[];
}
