import type { Milliseconds } from "./time.ts";

/** Upper bounds of the latency histogram's buckets: geometric with ratio 1.2 from 0.5 ms, so a quantile is known to 20 %. */
export const LATENCY_BOUNDS_MS: readonly Milliseconds[] = Array.from({ length: 64 }, (_, i) => 0.5 * 1.2 ** i);

/** Fine buckets in one of the histogram's: six, as then twice a bound is only 0.6 % below another one. */
const FINER = 6;
const STEP = 1.2 ** (1 / FINER);

/** Upper bounds of the fine buckets: each of the coarse bounds is one of them, exactly. A value is known to 3.1 %. */
export const FINE_BOUNDS_MS: readonly Milliseconds[] = LATENCY_BOUNDS_MS.flatMap((bound, index) =>
  Array.from({ length: index === LATENCY_BOUNDS_MS.length - 1 ? 1 : FINER }, (_, part) => bound * STEP ** part),
);

/** One for each bound, and one for beyond. */
export const FINE_BUCKETS = FINE_BOUNDS_MS.length + 1;

/** Counts of a run of fine buckets; all others are empty. */
export interface FineLatency {
  /** Index of the first of `counts`. */
  readonly from: number;
  readonly counts: readonly number[];
}

export const NO_FINE_LATENCY: FineLatency = { from: 0, counts: [] };

/** Index of the fine bucket that a latency falls into. */
export function fineBucketOf(ms: Milliseconds): number {
  let low = 0;
  let high = FINE_BOUNDS_MS.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ms <= (FINE_BOUNDS_MS[middle] ?? Infinity)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What all fine buckets, in their order, are on both grids. */
export function latencyOf(buckets: ArrayLike<number>): { latency: number[]; fineLatency: FineLatency } {
  const latency = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
  let first = buckets.length;
  let last = -1;
  for (let at = 0; at < buckets.length; at += 1) {
    const count = buckets[at] ?? 0;
    if (count === 0) continue;
    const coarse = Math.ceil(at / FINER);
    latency[coarse] = (latency[coarse] ?? 0) + count;
    first = Math.min(first, at);
    last = at;
  }
  const counts = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => buckets[first + index] ?? 0);
  return { latency, fineLatency: counts.length === 0 ? NO_FINE_LATENCY : { from: first, counts } };
}

/** Bucket by bucket. */
export function joinFine(a: FineLatency, b: FineLatency, join: (a: number, b: number) => number): FineLatency {
  const ranges = [a, b].filter(({ counts }) => counts.length > 0);
  if (ranges.length === 0) return NO_FINE_LATENCY;
  const from = Math.min(...ranges.map((range) => range.from));
  const to = Math.max(...ranges.map((range) => range.from + range.counts.length));
  const at = ({ from: begin, counts }: FineLatency, bucket: number): number => counts[bucket - begin] ?? 0;
  return { from, counts: Array.from({ length: to - from }, (_, i) => join(at(a, from + i), at(b, from + i))) };
}
