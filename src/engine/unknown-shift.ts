import { wholeOf } from "../model/traffic.ts";
import type { TrafficDriver } from "../ports/traffic.ts";
import type { EngineParts } from "./parts.ts";

/**
 * Takes back an unfinished shift of a deployment that the record does not know, as it is an older copy: nobody will end it.
 * At 100 % it stays, as when a control plane is lost.
 */
export async function takeBackUnknown(
  { store }: EngineParts,
  driver: TrafficDriver,
  service: string,
  signal: AbortSignal,
): Promise<void> {
  const { armed, split } = await driver.observe(service, signal);
  if (armed === null || wholeOf(split?.weights ?? {}) !== null) return;
  if ((await store.deployment(armed.deployment)) === null) await driver.revert(service, armed.deployment, signal);
}
