import type { MaintenanceCounts } from "../model/maintenance.ts";
import { FINE_BUCKETS, type FineLatency, latencyOf } from "../model/latency.ts";
import type { TrafficCounters } from "../model/traffic.ts";

/**
 * Layouts of the memory that the main thread and the workers share. Every number has one writer, a worker's in its own
 * row, unless Atomics write it; others may read it at any time. A 64-bit number that is aligned is read whole.
 */

/** Of the process: which version of the routes is live. */
export const PROCESS_CELL = { routes: 0, length: 1 } as const;

/**
 * Of a service: the live version of its table, the number of its live mode (0: off), the window in which users are counted,
 * whether any of its counts may have changed since they were last looked at, then how many requests wait in each worker.
 */
export const SERVICE_CELL = { live: 0, mode: 1, users: 2, changed: 3, held: 4 } as const;

/** Row of one worker in a service's counts of maintenance. */
export const MODE_COUNTER = { answered: 0, held: 1, released: 2, timedOut: 3, length: 4 } as const;

/** Of an instance: whether it is healthy, consecutive refused connects, then requests in flight per worker. */
export const INSTANCE_CELL = { healthy: 0, refused: 1, inFlight: 2 } as const;

/** Row of one environment in a version's ledger: requests that a worker began there, ended, and cut. */
export const LEDGER = { started: 0, ended: 1, cut: 2, length: 3 } as const;

/** Of a client that failed: its number (0: none), and when. `places`: for how many there is room. */
export const CLIENT_CELL = { hash: 0, tick: 1, length: 2, places: 1_024 } as const;

/** Row of one worker in an environment's counters; after the workers' comes one of the main thread. */
export const COUNTER = {
  requests: 0,
  failures: 1,
  /** 1xx … 5xx. */
  classes: 2,
  inFlight: 7,
  connectFailures: 8,
  retried: 9,
  rescued: 10,
  upgrades: 11,
  held: 12,
  ejections: 13,
  latencySum: 14,
  /** Of the failures, and of what is left out of them: see `clients` in the model. */
  failingClients: 15,
  repeats: 16,
  /** Fine buckets. */
  latency: 17,
  length: 17 + FINE_BUCKETS,
} as const;

export function sharedInts(length: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

export function sharedNumbers(length: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
}

/**
 * Says that a count of the service has changed; after the change. It is mostly raised already: then this only reads, so
 * that workers do not take the memory from each other.
 */
export function markChanged(service: Int32Array): void {
  if (Atomics.load(service, SERVICE_CELL.changed) === 0) Atomics.store(service, SERVICE_CELL.changed, 1);
}

/**
 * Whether a change was marked since the last call. Before the counts are read. One that was being marked at this moment may
 * have found the mark still raised, and its count not be seen yet: the next look finds it without a mark.
 */
export function takeChanged(service: Int32Array): boolean {
  if (Atomics.load(service, SERVICE_CELL.changed) === 0) return false;
  Atomics.store(service, SERVICE_CELL.changed, 0);
  return true;
}

/** Adds to one number; for its only writer. */
export function add(cell: Float64Array, index: number, by = 1): void {
  cell[index] = (cell[index] ?? 0) + by;
}

/** Sum of one field over rows of `stride`. */
export function total(cell: Float64Array, stride: number, field: number): number {
  let sum = 0;
  for (let at = field; at < cell.length; at += stride) sum += cell[at] ?? 0;
  return sum;
}

/** Sum of the numbers from `from` on. */
export function totalFrom(cell: Int32Array, from: number): number {
  let sum = 0;
  for (let at = from; at < cell.length; at += 1) sum += Atomics.load(cell, at);
  return sum;
}

/** As a notice carries them. */
export interface CounterReading extends TrafficCounters {
  readonly classes: [number, number, number, number, number];
  readonly latency: number[];
  readonly fineLatency: FineLatency;
  readonly clients?: { readonly failing: number; readonly repeats: number };
  readonly held: number;
  readonly ejections: number;
  readonly latencySumMs: number;
}

/** All threads' counts of one environment, added up. `tellsClients`: its clients keep to a side. */
export function readCounters(cell: Float64Array, tellsClients = false): CounterReading {
  const sum = (field: number): number => total(cell, COUNTER.length, field);
  const { classes } = COUNTER;
  return {
    requests: sum(COUNTER.requests),
    failures: sum(COUNTER.failures),
    classes: [sum(classes), sum(classes + 1), sum(classes + 2), sum(classes + 3), sum(classes + 4)],
    ...latencyOf(latencyCells(cell)),
    inFlight: sum(COUNTER.inFlight),
    connectFailures: sum(COUNTER.connectFailures),
    retried: sum(COUNTER.retried),
    rescued: sum(COUNTER.rescued),
    upgrades: sum(COUNTER.upgrades),
    held: sum(COUNTER.held),
    ejections: sum(COUNTER.ejections),
    latencySumMs: sum(COUNTER.latencySum),
    ...(tellsClients ? { clients: { failing: sum(COUNTER.failingClients), repeats: sum(COUNTER.repeats) } } : {}),
  };
}

/** All threads' fine buckets, added up row by row: they are most of what there is to read. */
function latencyCells(cell: Float64Array): Float64Array {
  const sums = new Float64Array(FINE_BUCKETS);
  for (let row = COUNTER.latency; row < cell.length; row += COUNTER.length) {
    for (let bucket = 0; bucket < FINE_BUCKETS; bucket += 1) add(sums, bucket, cell[row + bucket]);
  }
  return sums;
}

/** All threads' counts of one service's maintenance, added up. */
export function readModeCounters(cell: Float64Array): Omit<MaintenanceCounts, "waiting"> {
  const sum = (field: number): number => total(cell, MODE_COUNTER.length, field);
  return {
    answered: sum(MODE_COUNTER.answered),
    held: sum(MODE_COUNTER.held),
    released: sum(MODE_COUNTER.released),
    timedOut: sum(MODE_COUNTER.timedOut),
  };
}
