import type { TrafficCounters } from "../model/traffic.ts";
import type { Count } from "./mixture.ts";

/** Clients that must have failed before failures convict, so that no single one with a loop of retries does. */
export const LEAST_CLIENTS = 3;

/**
 * What is judged of an environment: a client's failures within ten seconds of one that counted are left out. To leave out
 * failures can only lower a test's wealth, so its guarantee holds.
 */
export function judged({ requests, failures, clients }: TrafficCounters): Count {
  const repeats = Math.min(failures, clients?.repeats ?? 0);
  return { requests: requests - repeats, failures: failures - repeats };
}

/** Whether failures are those of fewer clients than convict; never where clients are not told apart. */
export function isOfFew({ clients }: TrafficCounters): boolean {
  return clients !== undefined && clients.failing < LEAST_CLIENTS;
}
