import type { EnvironmentObservation } from "./environment.ts";

/** The address of an environment's first ready instance as a URL, for validation; null when none is ready. */
export function baseUrlOf(observation: EnvironmentObservation): string | null {
  const ready = observation.instances.find((instance) => instance.state === "ready" && instance.address !== null);
  return ready === undefined ? null : `http://${String(ready.address)}`;
}
