import { FINE_BUCKETS, fineBucketOf, latencyOf } from "../model/latency.ts";
import type { Random } from "../model/time.ts";

/** A repeatable source of uniform numbers in [0, 1): mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a data plane would have counted of these latencies, in milliseconds. */
export function latenciesOf(values: readonly number[]): ReturnType<typeof latencyOf> {
  const buckets = new Float64Array(FINE_BUCKETS);
  for (const ms of values) {
    const at = fineBucketOf(ms);
    buckets[at] = (buckets[at] ?? 0) + 1;
  }
  return latencyOf(buckets);
}
