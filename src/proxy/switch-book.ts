import { type DrainTimes, takenBackTimes } from "../model/drain.ts";
import type { Clock, EpochMilliseconds } from "../model/time.ts";
import type { Receipt, Weights } from "../model/traffic.ts";
import type { DrainWatch } from "./drain-watch.ts";
import type { ServiceState } from "./service-state.ts";
import { TrafficSwitch } from "./traffic-switch.ts";
import type { VersionRecord } from "./version-record.ts";

/** What only who has flipped knows of it. */
export interface Flip {
  readonly from: Weights;
  /** Versions from before, whose requests may be in flight. */
  readonly before: readonly VersionRecord[];
  readonly deployment: string | null;
  /** Whether the proxy took the traffic back; else it was told to switch. */
  readonly isTakenBack: boolean;
}

/** The newest switch of each service, and what it did. */
export class SwitchBook {
  readonly #clock: Clock;
  readonly #drains: DrainWatch;
  readonly #newest = new Map<string, TrafficSwitch>();

  constructor(clock: Clock, drains: DrainWatch) {
    this.#clock = clock;
    this.#drains = drains;
  }

  /** Call it at once after the flip, when the service has its new split. */
  begin(service: ServiceState, { isTakenBack, ...facts }: Flip, at: EpochMilliseconds): TrafficSwitch {
    const { counters, name, register } = service;
    const split = register.split;
    const generation = split?.generation ?? 0;
    const change = new TrafficSwitch({ ...facts, at, service: name, generation, to: split?.weights ?? {}, counters });
    this.#newest.set(name, change);
    service.switched();
    const times = timesOf(service);
    this.#drains.follow(change, service, isTakenBack ? takenBackTimes(times) : times);
    return change;
  }

  /** Of the live split; after a restart of the proxy nothing is known of the switch but the split itself. */
  receiptOf({ name, register: { split, deployment } }: ServiceState): Receipt {
    const known = this.#newest.get(name);
    if (known !== undefined && known.facts.generation === split?.generation) return known.receipt;
    const weights = split?.weights ?? {};
    const none = { inFlight: 0, drained: 0, held: 0, retried: 0, rescued: 0, cut: 0, failed: 0, kernelRefused: 0 };
    return {
      service: name,
      deployment,
      generation: split?.generation ?? 0,
      from: weights,
      to: weights,
      at: this.#clock.now(),
      ...none,
      final: true,
    };
  }
}

function timesOf({ table }: ServiceState): DrainTimes {
  return table?.traffic ?? { drainMs: 0, longLivedMs: 0 };
}
