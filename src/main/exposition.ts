/** One number of a family. `suffix` is for the parts of a histogram. */
export interface Point {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly suffix?: "_bucket" | "_sum" | "_count";
}

export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly points: readonly Point[];
}

/**
 * Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), for numbers that were
 * counted elsewhere: prom-client's own counters and histograms can only be added to.
 */
export function exposition(families: readonly Family[]): string {
  return families
    .map((family) => [...head(family), ...family.points.map((point) => line(family, point)), ""].join("\n"))
    .join("\n");
}

function head({ name, type, help }: Family): string[] {
  return [`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`, `# TYPE ${name} ${type}`];
}

function line({ name }: Family, { labels, value, suffix }: Point): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${suffix ?? ""}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${String(value)}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
