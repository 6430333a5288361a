import type { MetricReading, NoReading } from "../../../model/metric.ts";
import type { Clock, EpochMilliseconds } from "../../../model/time.ts";
import type { MetricQuestion, MetricsDriver, MetricSubject } from "../../../ports/metrics.ts";
import { askForJson } from "../answer.ts";
import { authorization } from "../authorization.ts";
import { none } from "../none.ts";
import { shownText, shownUrl } from "../shown.ts";
import { substitute } from "../substitute.ts";
import { type PrometheusSettings, prometheusSettings } from "./settings.ts";
import { readVector, type Sample } from "./vector.ts";

/** Asks a Prometheus server, or what speaks its API, by instant queries (HTTP API, /api/v1/query). */
export class PrometheusMetrics implements MetricsDriver {
  readonly name = "prometheus";
  readonly #clock: Clock;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  describe(settings: Readonly<Record<string, unknown>>): string {
    const { url, query, total } = settings;
    const all = total === undefined ? "" : `, of ${shownText(total)}`;
    return `Prometheus at ${shownUrl(url)}: ${shownText(query)}${all}`;
  }

  async read({ settings, subject }: MetricQuestion, signal: AbortSignal): Promise<MetricReading> {
    const read = prometheusSettings.safeParse(settings);
    if (!read.success) return none("settings", "the settings of this source are not those of Prometheus");
    const { query, total } = read.data;
    const first = await this.#ask(read.data, inPromQl(query, subject), null, signal);
    if ("kind" in first) return first;
    if (total === undefined) return { kind: "value", ...first };
    // At the same moment, so that the two are of the same scrapes.
    const second = await this.#ask(read.data, inPromQl(total, subject), first.at, signal);
    if ("kind" in second) return { ...second, reason: `total: ${second.reason}` };
    return { kind: "counts", counts: { all: { bad: first.value, total: second.value } }, at: first.at };
  }

  async #ask(
    settings: PrometheusSettings,
    query: string,
    at: EpochMilliseconds | null,
    signal: AbortSignal,
  ): Promise<Sample | NoReading> {
    const url = URL.parse(settings.url);
    if (url === null) return none("settings", "the address of Prometheus is none");
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/api/v1/query`;
    url.searchParams.set("query", query);
    if (at !== null) url.searchParams.set("time", String(at / 1_000));
    const where = `Prometheus at ${url.host}`;
    const answer = await askForJson({ url, where }, this.#clock, signal, authorization(settings));
    return answer.kind === "none" ? answer : readVector(answer.status, answer.json);
  }
}

/** As within a string literal of PromQL, whichever quotes it has: a name cannot end it. */
function inPromQl(query: string, subject: MetricSubject): string {
  return substitute(query, subject, (name) =>
    name.replaceAll(/[\\"'`\n]/g, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`),
  );
}
