import { since } from "../analysis/counters.ts";
import type { Deployment } from "../model/deployment.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { TrafficCounters, TrafficSample } from "../model/traffic.ts";
import type { Hub } from "./hub.ts";

/** What came while the same release was active. */
export interface Stretch {
  readonly newest: TrafficSample;
  /** By environment, since it has the release that it has, as far as this process knows. */
  readonly environments: Readonly<Record<string, TrafficCounters>>;
}

/** Changes of a service's split that are remembered: about eight deployments that were taken back. */
const MOST_CHANGES = 16;

/** Each service's traffic since its active release came to be so: what that is like, before a shift. */
export class SteadyTraffic {
  /** The first reading of each split, the newest split last, and the newest reading. */
  readonly #known = new Map<string, { readonly splits: readonly TrafficSample[]; readonly newest: TrafficSample }>();

  listen(hub: Hub, signal: AbortSignal): void {
    hub.subscribe(
      "sample",
      (sample) => {
        this.#add(sample);
      },
      signal,
    );
  }

  /**
   * Null before the first reading. `settledAt`: when the active environment had its release and all the traffic at last;
   * null: not known, then it is counted since the split last changed.
   */
  of(service: string, settledAt: EpochMilliseconds | null): Stretch | null {
    const known = this.#known.get(service);
    if (known === undefined) return null;
    const { splits, newest } = known;
    const then = settledAt === null ? splits.at(-1) : splits.findLast(({ at }) => at <= settledAt);
    const first = then ?? splits[0] ?? newest;
    const environments = Object.entries(newest.environments).map(([name, now]) => {
      const before = first.environments[name];
      return [name, before === undefined ? now : since(before, now)] as const;
    });
    return { newest, environments: Object.fromEntries(environments) };
  }

  #add(sample: TrafficSample): void {
    const known = this.#known.get(sample.service);
    // A data plane that does not count its switches cannot tell whether this is the same split.
    const goesOn = known !== undefined && sample.switches !== undefined && known.newest.epoch === sample.epoch;
    const before = goesOn ? known.splits : [];
    const isSame = goesOn && known.newest.switches === sample.switches;
    const splits = isSame ? before : [...before, sample].slice(-MOST_CHANGES);
    this.#known.set(sample.service, { splits, newest: sample });
  }
}

/**
 * When the newest deployment ended that left the traffic with another release, or nobody knows where; those that were
 * taken back gave it back. `history`: newest first; when all of it was taken back, it is when the oldest of it began. Null:
 * there is none.
 */
export function settledAt(history: readonly Deployment[]): EpochMilliseconds | null {
  const last = history.find(
    ({ goal, state, touchedTraffic }) =>
      goal !== "retire" && (state === "completed" || state === "frozen" || (state === "failed" && touchedTraffic)),
  );
  return last?.endedAt ?? history.at(-1)?.createdAt ?? null;
}
