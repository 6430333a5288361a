import type { MetricCounts, MetricReading } from "../../../model/metric.ts";
import type { Clock } from "../../../model/time.ts";
import type { MetricQuestion, MetricsDriver, MetricSubject } from "../../../ports/metrics.ts";
import { at as urlAt } from "../../validation/get.ts";
import { askForJson } from "../answer.ts";
import { authorization } from "../authorization.ts";
import { none } from "../none.ts";
import { shownText, shownUrl } from "../shown.ts";
import { substitute } from "../substitute.ts";
import { readDocument, type Said } from "./document.ts";
import { type HttpSettings, httpSettings } from "./settings.ts";

/** Stands for the one who counts, where an address is asked and not the app's instances. */
const ONE = "all";

interface Target {
  /** Whose counters its answer holds. */
  readonly id: string;
  readonly url: URL;
  readonly where: string;
}

/** Asks for JSON: at an address, or at each ready instance of the environment, where those that answer count. */
export class HttpMetrics implements MetricsDriver {
  readonly name = "http";
  readonly #clock: Clock;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  describe(settings: Readonly<Record<string, unknown>>): string {
    const { url, path, pointer, of, total } = settings;
    const where = path === undefined ? `GET ${shownUrl(url)}` : `GET ${shownUrl(path)} of each instance`;
    const other = total ?? of;
    return `${where}: ${shownText(pointer)}${other === undefined ? "" : `, of ${shownText(other)}`}`;
  }

  async read({ settings, subject }: MetricQuestion, signal: AbortSignal): Promise<MetricReading> {
    const read = httpSettings.safeParse(settings);
    if (!read.success) return none("settings", "the settings of this source are not those of an HTTP source");
    const asked = await targets(read.data, subject, signal);
    if (asked.length === 0) return none("nothing", "no instance is ready to be asked");
    const said = await Promise.all(
      asked.map(async (target) => ({ id: target.id, said: await this.#ask(target, read.data, signal) })),
    );
    return this.#together(said, read.data);
  }

  async #ask(target: Target, settings: HttpSettings, signal: AbortSignal): Promise<Said> {
    const headers = settings.path === undefined ? authorization(settings) : {};
    const answer = await askForJson(target, this.#clock, signal, headers);
    return answer.kind === "none" ? answer : readDocument(answer.status, answer.json, settings);
  }

  #together(
    all: readonly { readonly id: string; readonly said: Said }[],
    { worst = "highest" }: HttpSettings,
  ): MetricReading {
    const at = this.#clock.now();
    const gauges = all.flatMap(({ said }) => ("gauge" in said ? [said.gauge] : []));
    if (gauges.length > 0)
      return { kind: "value", value: worst === "highest" ? Math.max(...gauges) : Math.min(...gauges), at };
    const counts = all.flatMap(({ id, said }): [string, MetricCounts][] =>
      "counts" in said ? [[id, said.counts]] : [],
    );
    if (counts.length > 0) return { kind: "counts", counts: Object.fromEntries(counts), at };
    const [silence] = all.flatMap(({ said }) => ("kind" in said ? [said] : []));
    return silence ?? none("nothing", "nothing was said");
  }
}

async function targets(
  { url, path = "" }: HttpSettings,
  subject: MetricSubject,
  signal: AbortSignal,
): Promise<readonly Target[]> {
  signal.throwIfAborted();
  if (url !== undefined) {
    const address = URL.parse(substitute(url, subject, encodeURIComponent));
    return address === null ? [] : [{ id: ONE, url: address, where: address.host }];
  }
  const asked = substitute(path, subject, encodeURIComponent);
  return (await subject.instances(signal)).map(({ id, baseUrl }) => ({
    id,
    url: urlAt(baseUrl, asked),
    where: `${shownUrl(asked)} of ${id}`,
  }));
}
