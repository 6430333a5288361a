import type { Hub } from "../engine/hub.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import type { TrafficSample } from "../model/traffic.ts";

/** A sample comes each 100 ms while a proxy lives: what is older than this says nothing of the present. */
const FRESH_MS: Milliseconds = 10_000;

/** Keeps the newest sample of each service until the signal aborts; the function returned gives those of the present. */
export function newestSamples(hub: Hub, clock: Clock, signal: AbortSignal): () => readonly TrafficSample[] {
  const newest = new Map<string, TrafficSample>();
  hub.subscribe(
    "sample",
    (sample) => {
      newest.set(sample.service, sample);
    },
    signal,
  );
  return () => [...newest.values()].filter(({ at }) => clock.now() - at <= FRESH_MS);
}
