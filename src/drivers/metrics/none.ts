import type { MetricReading } from "../../model/metric.ts";

export function none(reason: string): MetricReading {
  return { kind: "none", reason };
}
