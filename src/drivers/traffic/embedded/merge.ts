import { type FineLatency, joinFine } from "../../../model/latency.ts";
import type { Receipt, TrafficCounters, TrafficSample } from "../../../model/traffic.ts";
import type { TrafficObservation } from "../../../ports/traffic.ts";

/** Several proxies serve while one replaces another: what each counted, added up. */
export function mergeReceipts(receipts: readonly Receipt[]): Receipt {
  return receipts.reduce((a, b) => ({
    ...a,
    at: Math.min(a.at, b.at),
    inFlight: a.inFlight + b.inFlight,
    drained: a.drained + b.drained,
    held: a.held + b.held,
    retried: a.retried + b.retried,
    rescued: a.rescued + b.rescued,
    cut: a.cut + b.cut,
    failed: a.failed + b.failed,
    // The kernel counts for the machine, not for a process.
    kernelRefused: Math.max(a.kernelRefused, b.kernelRefused),
    final: a.final && b.final,
  }));
}

/** The epoch names every process that is in it, so that it changes when one comes or goes. */
export function mergeSamples(samples: readonly TrafficSample[]): TrafficSample {
  return samples.reduce((a, b) => {
    const environments = { ...a.environments };
    for (const [name, counters] of Object.entries(b.environments)) {
      const other = environments[name];
      environments[name] = other === undefined ? counters : sum(other, counters);
    }
    return {
      ...a,
      at: Math.max(a.at, b.at),
      epoch: `${a.epoch}+${b.epoch}`,
      environments,
      // Each of them makes every switch.
      switches: Math.max(a.switches ?? 0, b.switches ?? 0),
      ...mergeMaintenance(a.maintenance, b.maintenance),
    };
  });
}

/** The mode is that of the one that stays: it comes first. */
function mergeMaintenance(
  a: TrafficSample["maintenance"],
  b: TrafficSample["maintenance"],
): Pick<TrafficSample, "maintenance"> {
  if (a === undefined || b === undefined) return {};
  return {
    maintenance: {
      mode: a.mode,
      answered: a.answered + b.answered,
      held: a.held + b.held,
      released: a.released + b.released,
      timedOut: a.timedOut + b.timedOut,
      waiting: a.waiting + b.waiting,
    },
  };
}

function sum(a: TrafficCounters, b: TrafficCounters): TrafficCounters {
  return {
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    classes: [
      a.classes[0] + b.classes[0],
      a.classes[1] + b.classes[1],
      a.classes[2] + b.classes[2],
      a.classes[3] + b.classes[3],
      a.classes[4] + b.classes[4],
    ],
    latency: a.latency.map((count, bucket) => count + (b.latency[bucket] ?? 0)),
    ...sumOfFine(a.fineLatency, b.fineLatency),
    ...sumOfClients(a.clients, b.clients),
    inFlight: a.inFlight + b.inFlight,
    connectFailures: a.connectFailures + b.connectFailures,
    retried: a.retried + b.retried,
    rescued: a.rescued + b.rescued,
    upgrades: a.upgrades + b.upgrades,
    held: (a.held ?? 0) + (b.held ?? 0),
    ejections: (a.ejections ?? 0) + (b.ejections ?? 0),
    latencySumMs: (a.latencySumMs ?? 0) + (b.latencySumMs ?? 0),
  };
}

/** Told only when it is of all requests. */
function sumOfFine(a: FineLatency | undefined, b: FineLatency | undefined): Pick<TrafficCounters, "fineLatency"> {
  return a === undefined || b === undefined ? {} : { fineLatency: joinFine(a, b, (x, y) => x + y) };
}

/** A client may have failed at both: then it counts twice. */
function sumOfClients(a: TrafficCounters["clients"], b: TrafficCounters["clients"]): Pick<TrafficCounters, "clients"> {
  if (a === undefined && b === undefined) return {};
  const sumOf = (key: "failing" | "repeats"): number => (a?.[key] ?? 0) + (b?.[key] ?? 0);
  return { clients: { failing: sumOf("failing"), repeats: sumOf("repeats") } };
}

/** The first is the one that stays; the others' requests in flight are added. */
export function mergeObservations(main: TrafficObservation, others: readonly TrafficObservation[]): TrafficObservation {
  const elsewhere = (id: string): number =>
    others
      .flatMap(({ instances }) => instances)
      .reduce((all, other) => all + (other.id === id ? other.inFlight : 0), 0);
  return {
    ...main,
    instances: main.instances.map((instance) => ({
      ...instance,
      inFlight: instance.inFlight + elsewhere(instance.id),
    })),
  };
}
