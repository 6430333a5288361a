import type { NoReading, Silence } from "../../model/metric.ts";

export function none(code: Silence, reason: string): NoReading {
  return { kind: "none", code, reason };
}
