import { METRIC_VARIABLES } from "../../model/metric.ts";
import type { MetricSubject } from "../../ports/metrics.ts";

const VARIABLE = new RegExp(String.raw`\$(?:\$|(${METRIC_VARIABLES.join("|")})\b)`, "g");

/** Puts `$environment` and the like in, each through `escape`; `$$` is a dollar. Nothing else is touched. */
export function substitute(text: string, { names }: MetricSubject, escape: (name: string) => string): string {
  return text.replaceAll(VARIABLE, (_, name: keyof MetricSubject["names"] | undefined) =>
    name === undefined ? "$" : escape(names[name]),
  );
}
