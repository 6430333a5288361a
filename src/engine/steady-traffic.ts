import { since } from "../analysis/counters.ts";
import type { TrafficCounters, TrafficSample } from "../model/traffic.ts";
import type { Hub } from "./hub.ts";

/** What came while the split stayed as it is. */
export interface Stretch {
  readonly newest: TrafficSample;
  /** By environment, since the split last changed or this process began, whichever is later. */
  readonly environments: Readonly<Record<string, TrafficCounters>>;
}

/** Each service's traffic since its split last changed: what the active environment is like before a shift. */
export class SteadyTraffic {
  readonly #stretches = new Map<string, { readonly first: TrafficSample; readonly newest: TrafficSample }>();

  listen(hub: Hub, signal: AbortSignal): void {
    hub.subscribe(
      "sample",
      (sample) => {
        this.#add(sample);
      },
      signal,
    );
  }

  /** Null before the first reading. */
  of(service: string): Stretch | null {
    const stretch = this.#stretches.get(service);
    if (stretch === undefined) return null;
    const { first, newest } = stretch;
    const environments = Object.entries(newest.environments).map(([name, now]) => {
      const before = first.environments[name];
      return [name, before === undefined ? now : since(before, now)] as const;
    });
    return { newest, environments: Object.fromEntries(environments) };
  }

  #add(sample: TrafficSample): void {
    const known = this.#stretches.get(sample.service);
    // A data plane that does not count its switches cannot tell whether this is the same stretch.
    const goesOn =
      known !== undefined &&
      sample.switches !== undefined &&
      known.newest.switches === sample.switches &&
      known.newest.epoch === sample.epoch;
    this.#stretches.set(sample.service, { first: goesOn ? known.first : sample, newest: sample });
  }
}
