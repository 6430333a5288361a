import { TealError } from "../model/error.ts";
import type { Release } from "../model/release.ts";
import type { TrafficObservation } from "../ports/traffic.ts";
import { driverOf, type EngineParts } from "./parts.ts";
import { healthyIn } from "./traffic-desk.ts";

/** An environment that is to get traffic, with a release whose driver it runs by. */
interface Candidate {
  readonly service: string;
  readonly environment: string;
  readonly release: Release;
}

/**
 * Invariant 4. The data plane's view counts once it watches the environment; before that, the driver's.
 * @throws `unhealthy`
 */
export async function throwIfUnhealthy(
  parts: EngineParts,
  { service, environment, release }: Candidate,
  seen: TrafficObservation,
  signal: AbortSignal,
): Promise<void> {
  if (healthyIn(seen, environment) > 0) return;
  const watched = seen.instances.some((instance) => instance.environment === environment);
  const driver = driverOf(parts.environments, release.spec.environment.driver);
  const { instances } = await driver.observe(service, environment, signal);
  if (!watched && instances.some(({ state }) => state === "ready")) return;
  throw new TealError("unhealthy", `${environment} of ${service} has no healthy instance`);
}
