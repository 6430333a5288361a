import type { MetricInstance, MetricSubject } from "../../ports/metrics.ts";

/** What is asked about, in tests. */
export function subject(environment: string, instances: readonly MetricInstance[] = []): MetricSubject {
  const names = { environment, service: "web", version: "v2", release: "v2+1" };
  return { names, instances: () => Promise.resolve(instances) };
}
