import { Gauge, type Registry } from "prom-client";
import type { Dora } from "../model/dora.ts";
import type { ServiceStatus } from "../model/status.ts";

/** By name: help, and where its value is in {@link Dora}. A service without one has no series. */
const GAUGES = {
  teal_dora_deployments_per_day: ["Completed deploys of a new release, over 30 days", "deploymentsPerDay"],
  teal_dora_lead_time_seconds: ["From commit to the end of its deployment, median of 30 days", "leadTimeSeconds"],
  teal_dora_change_failure_ratio: [
    "Share of deploys with traffic that were taken back, of 30 days",
    "changeFailureRate",
  ],
  teal_dora_time_to_restore_seconds: [
    "From the first traffic to its being back, median of 30 days",
    "timeToRestoreSeconds",
  ],
} as const satisfies Record<string, readonly [string, keyof Dora]>;

/** DORA's four as gauges, per service; the function shows what holds now. */
export function deliveryGauges(registry: Registry): (services: readonly ServiceStatus[]) => void {
  const gauges = Object.entries(GAUGES).map(([name, [help, field]]) => ({
    field,
    gauge: new Gauge({ name, help, labelNames: ["service"], registers: [registry] }),
  }));
  return (services) => {
    for (const { gauge, field } of gauges) {
      gauge.reset();
      for (const { service, dora } of services) {
        const value = dora?.[field] ?? null;
        if (value !== null) gauge.set({ service }, value);
      }
    }
  };
}
