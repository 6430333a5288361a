import { quantile } from "../analysis/quantile.ts";
import { FINE_BUCKETS, latencyOf } from "../model/latency.ts";
import type { RecordedTraffic } from "../model/series.ts";
import type { Milliseconds } from "../model/time.ts";

/** What one environment answered from the first shift to the end. */
export interface EnvironmentTraffic {
  readonly environment: string;
  readonly requests: number;
  readonly failures: number;
  /** Null: no request. */
  readonly p50Ms: Milliseconds | null;
  readonly p95Ms: Milliseconds | null;
  readonly p99Ms: Milliseconds | null;
}

/** Of the new environment first; none when nothing is kept. */
export function trafficOf({ points, candidate, baseline }: RecordedTraffic): EnvironmentTraffic[] {
  return [candidate, ...(baseline === null ? [] : [baseline])].flatMap((environment) => {
    const buckets = new Float64Array(FINE_BUCKETS);
    let [requests, failures] = [0, 0];
    for (const { environments } of points) {
      const cell = environments[environment];
      if (cell === undefined) continue;
      requests += cell.requests;
      failures += cell.failures;
      for (const [bucket, n] of cell.latency) buckets[bucket] = (buckets[bucket] ?? 0) + n;
    }
    if (points.length === 0) return [];
    const latencies = latencyOf(buckets);
    const at = (q: number): number | null => quantile(latencies, q)?.estimate ?? null;
    return [{ environment, requests, failures, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) }];
  });
}
