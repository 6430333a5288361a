import type { FineLatency } from "./latency.ts";
import type { MaintenanceCounts, MaintenanceMode } from "./maintenance.ts";
import type { EpochMilliseconds, Milliseconds } from "./time.ts";

/** Integer weights per environment, each 0…100, summing to 100; empty before the first release. */
export type Weights = Readonly<Record<string, number>>;

/** Total order of splits: by fence, then by generation. */
export interface SplitOrder {
  readonly fence: number;
  readonly generation: number;
}

export interface TrafficSplit extends SplitOrder {
  readonly weights: Weights;
}

/** Negative when `a` is older than `b`, 0 when the same, positive when newer. */
export function compareOrder(a: SplitOrder, b: SplitOrder): number {
  return a.fence - b.fence || a.generation - b.generation;
}

/** Says what is wrong with `weights`, or null. Invariant 1: integers that sum to 100. */
export function weightsProblem(weights: Weights): string | null {
  const entries = Object.entries(weights);
  for (const [name, weight] of entries) {
    if (!Number.isInteger(weight) || weight < 0 || weight > 100)
      return `the weight of ${name} is ${String(weight)}, not an integer from 0 to 100`;
  }
  const sum = entries.reduce((total, [, weight]) => total + weight, 0);
  return sum === 100 ? null : `the weights sum to ${String(sum)}, not 100`;
}

/** The environment with all the traffic; null when there is none. */
export function wholeOf(weights: Weights): string | null {
  return Object.keys(weights).find((name) => weights[name] === 100) ?? null;
}

export function sameWeights(a: Weights, b: Weights): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => (a[name] ?? 0) === (b[name] ?? 0));
}

/** The environment that has all the traffic, or the larger share; null before the first release. */
export function leader(weights: Weights): string | null {
  let best: string | null = null;
  for (const [name, weight] of Object.entries(weights)) {
    if (weight > 0 && (best === null || weight > (weights[best] ?? 0))) best = name;
  }
  return best;
}

/**
 * What a switch did, counted by the data plane. Final once everything on the old side has drained.
 * All counts are requests, but for `kernelRefused`: connections that the kernel dropped (ListenDrops, which has ListenOverflows in it).
 */
export interface Receipt {
  readonly service: string;
  readonly deployment: string | null;
  readonly generation: number;
  readonly from: Weights;
  readonly to: Weights;
  readonly at: EpochMilliseconds;
  /** In flight on the side that lost weight, at the instant of the switch. */
  readonly inFlight: number;
  /** Of those, completed. */
  readonly drained: number;
  /** Waited in the hold queue and were then served. */
  readonly held: number;
  readonly retried: number;
  /** Served by the other environment after a connect failure. */
  readonly rescued: number;
  /** Of those, ended as their time was over. */
  readonly cut: number;
  readonly failed: number;
  readonly kernelRefused: number;
  /** Whether draining has ended, so that the counts will not change any more. */
  readonly final: boolean;
}

/** Where clients keep to a side, one that fails again within this is no further evidence. */
export const CLIENT_AGAIN_MS: Milliseconds = 10_000;

/** Cumulative counts of one environment since the data plane's epoch began; they only grow, but for `inFlight`. */
export interface TrafficCounters {
  /** Requests that count for verdicts (DESIGN section 7, "What counts"), charged to the environment first tried. */
  readonly requests: number;
  /** Of those, failures: 5xx of an instance, or 502/504 after retries. */
  readonly failures: number;
  /** Answers by class: index 0 = 1xx (upgrades) … 4 = 5xx. */
  readonly classes: readonly [number, number, number, number, number];
  /** Requests by time from last request byte in to first response byte; bounds in LATENCY_BOUNDS_MS, one more for beyond. */
  readonly latency: readonly number[];
  /** The same requests on a finer grid; absent: not told, as by data planes of before it. */
  readonly fineLatency?: FineLatency;
  readonly inFlight: number;
  readonly connectFailures: number;
  readonly retried: number;
  readonly rescued: number;
  readonly upgrades: number;
  /**
   * Where clients keep to a side: how many of them have failed, and failures of those that had failed less than 10 s ago.
   * A failure whose client is not known counts as one of its own. Absent: clients are not told apart.
   */
  readonly clients?: { readonly failing: number; readonly repeats: number };
  /** Requests that waited in the hold queue and were then served; absent, as the next two: not told. */
  readonly held?: number;
  /** Times that an instance became unhealthy, by checks or by refused connects. */
  readonly ejections?: number;
  /** Sum of the latencies in the histogram. */
  readonly latencySumMs?: Milliseconds;
}

/** Distinct users are told to within this share of them: one standard deviation of a HyperLogLog of 2¹⁴ registers. */
export const DISTINCT_ERROR = 0.008125;

/** Distinct keys of affinity in a window of time in which the split did not change. */
export interface UsersWindow {
  /** Grows with each window of an epoch, not always by one. */
  readonly window: number;
  /** How long it was. */
  readonly ms: Milliseconds;
  readonly weights: Weights;
  /** By environment, see {@link DISTINCT_ERROR}. */
  readonly distinct: Readonly<Record<string, number>>;
}

/** One reading of the data plane's counters for a service. */
export interface TrafficSample {
  readonly service: string;
  /** Changes when counters start from zero again. */
  readonly epoch: string;
  /** When the epoch began, with all counters at zero; absent: not told. */
  readonly since?: EpochMilliseconds;
  readonly at: EpochMilliseconds;
  readonly environments: Readonly<Record<string, TrafficCounters>>;
  /** Changes of the live split, reverts too; absent: not told. */
  readonly switches?: number;
  /** The newest whole window; absent: there is none, or users are not counted. */
  readonly users?: UsersWindow;
  /** Absent: not told. */
  readonly maintenance?: MaintenanceCounts & { readonly mode: MaintenanceMode };
}
