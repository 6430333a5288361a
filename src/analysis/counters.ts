import { joinFine, LATENCY_BOUNDS_MS, NO_FINE_LATENCY } from "../model/latency.ts";
import type { TrafficCounters } from "../model/traffic.ts";

export const NO_TRAFFIC: TrafficCounters = {
  requests: 0,
  failures: 0,
  classes: [0, 0, 0, 0, 0],
  latency: Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0),
  fineLatency: NO_FINE_LATENCY,
  inFlight: 0,
  connectFailures: 0,
  retried: 0,
  rescued: 0,
  upgrades: 0,
};

/** Joins two readings count by count; `inFlight` is no count but a level: `b`'s stands. */
function combine(a: TrafficCounters, b: TrafficCounters, join: (a: number, b: number) => number): TrafficCounters {
  const cell = (index: 0 | 1 | 2 | 3 | 4): number => join(a.classes[index], b.classes[index]);
  return {
    requests: join(a.requests, b.requests),
    failures: join(a.failures, b.failures),
    classes: [cell(0), cell(1), cell(2), cell(3), cell(4)],
    latency: NO_TRAFFIC.latency.map((_, i) => join(a.latency[i] ?? 0, b.latency[i] ?? 0)),
    ...joinClients(a.clients, b.clients, join),
    fineLatency: joinFine(a.fineLatency ?? NO_FINE_LATENCY, b.fineLatency ?? NO_FINE_LATENCY, join),
    inFlight: b.inFlight,
    connectFailures: join(a.connectFailures, b.connectFailures),
    retried: join(a.retried, b.retried),
    rescued: join(a.rescued, b.rescued),
    upgrades: join(a.upgrades, b.upgrades),
  };
}

function joinClients(
  a: TrafficCounters["clients"],
  b: TrafficCounters["clients"],
  join: (a: number, b: number) => number,
): Pick<TrafficCounters, "clients"> {
  if (a === undefined && b === undefined) return {};
  return {
    clients: {
      failing: join(a?.failing ?? 0, b?.failing ?? 0),
      repeats: join(a?.repeats ?? 0, b?.repeats ?? 0),
    },
  };
}

export function plus(a: TrafficCounters, b: TrafficCounters): TrafficCounters {
  return combine(a, b, (x, y) => x + y);
}

/** What came between two cumulative readings, never negative: a reading that arrives late adds nothing. */
export function since(before: TrafficCounters, now: TrafficCounters): TrafficCounters {
  if (before === now) return nothingSince(now);
  const difference = combine(before, now, (x, y) => Math.max(0, y - x));
  // Where what came before is not known, all of it would seem to have come since.
  const { fineLatency, clients, requests } = before;
  const isNew = clients === undefined && now.clients !== undefined && requests > 0;
  return {
    ...difference,
    ...(fineLatency === undefined ? { fineLatency: NO_FINE_LATENCY } : {}),
    ...(isNew ? { clients: { failing: 0, repeats: 0 } } : {}),
  };
}

function nothingSince({ inFlight, clients }: TrafficCounters): TrafficCounters {
  return { ...NO_TRAFFIC, inFlight, ...(clients === undefined ? {} : { clients: { failing: 0, repeats: 0 } }) };
}

const NUMBERS = ["requests", "failures", "inFlight", "connectFailures", "retried", "rescued", "upgrades"] as const;

/** Whether nothing was counted between two readings: cheaper than to join them, and what most readings are. */
export function isSame(a: TrafficCounters, b: TrafficCounters): boolean {
  return (
    NUMBERS.every((name) => a[name] === b[name]) &&
    a.clients?.failing === b.clients?.failing &&
    a.clients?.repeats === b.clients?.repeats &&
    isSameRow(a.classes, b.classes) &&
    isSameRow(a.latency, b.latency) &&
    a.fineLatency?.from === b.fineLatency?.from &&
    isSameRow(a.fineLatency?.counts ?? [], b.fineLatency?.counts ?? [])
  );
}

function isSameRow(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((count, index) => count === b[index]);
}

/** The later of two cumulative readings, count by count. */
export function later(a: TrafficCounters, b: TrafficCounters): TrafficCounters {
  return combine(a, b, Math.max);
}
