import { collectDefaultMetrics, Gauge, type Registry } from "prom-client";
import type { ConnectionCounts } from "../model/connections.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import { leader } from "../model/traffic.ts";
import type { Control } from "../engine/control.ts";
import type { Hub } from "../engine/hub.ts";
import { listenCounts } from "../proxy/kernel.ts";
import type { ControlMetrics } from "./control-metrics.ts";
import { deliveryGauges } from "./delivery-gauges.ts";
import { exposition } from "./exposition.ts";
import { proxyMetrics } from "./proxy-metrics.ts";
import type { ProxyTotals } from "./proxy-totals.ts";

const STATUS_MS = 5_000;

export interface MetricsParts {
  readonly control: Pick<Control, "status">;
  readonly registry: Registry;
  readonly own: ControlMetrics;
  readonly now: () => EpochMilliseconds;
  readonly keeperConnected: () => boolean;
  readonly hub: Hub;
  readonly totals: ProxyTotals;
  readonly version: string;
  /** Of all data planes of Teal's own. */
  readonly connections: () => ConnectionCounts;
  /** Ends listening to the data plane. */
  readonly signal: AbortSignal;
}

/** Prometheus text: what `teal status` says, as gauges, the process's own figures, and what the data plane counts. */
export function serverMetrics({
  control,
  registry,
  own,
  now,
  keeperConnected,
  hub,
  totals,
  version,
  connections,
  signal,
}: MetricsParts): () => Promise<string> {
  hub.subscribe(
    "sample",
    (sample) => {
      totals.add(sample);
    },
    signal,
  );
  own.listen(hub, signal);
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, labelNames: string[]): Gauge =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  gauge("teal_info", "Version of Teal; always 1", ["version"]).set({ version }, 1);
  const weight = gauge("teal_traffic_weight", "Percent of traffic", ["service", "environment"]);
  const healthy = gauge("teal_instances_healthy", "Healthy instances", ["service", "environment"]);
  const instances = gauge("teal_instances", "Instances", ["service", "environment"]);
  const active = gauge("teal_active", "1 for the environment with the most traffic", ["service", "environment"]);
  const deploying = gauge("teal_deployment_running", "1 while a deployment is under way", ["service"]);
  const delivery = deliveryGauges(registry);
  const generation = gauge("teal_split_generation", "Generation of the live split", ["service"]);
  return async () => {
    const services = await control.status(AbortSignal.timeout(STATUS_MS));
    own.show(services, now(), keeperConnected());
    delivery(services);
    for (const one of services) {
      const { service } = one;
      deploying.set({ service }, one.deployment === null ? 0 : 1);
      generation.set({ service }, one.generation);
      for (const environment of one.environments) {
        const labels = { service, environment: environment.name };
        weight.set(labels, one.traffic[environment.name] ?? 0);
        active.set(labels, leader(one.traffic) === environment.name ? 1 : 0);
        instances.set(labels, environment.instances.length);
        healthy.set(labels, environment.instances.filter((instance) => instance.healthy).length);
      }
    }
    return `${await registry.metrics()}\n${exposition(proxyMetrics(totals.samples(), connections(), listenCounts()))}`;
  };
}
