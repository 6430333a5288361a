import type { MetricReading } from "../../model/metric.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import type { MetricQuestion, MetricsDriver } from "../../ports/metrics.ts";

/** What a source in memory says: a number or a reading, nothing at all (it hangs), or a mishap of the driver itself. */
type Says = number | MetricReading | "hangs" | Error;

/** A source of metrics in memory, by environment. */
export class MemoryMetrics implements MetricsDriver {
  readonly name = "memory";
  readonly says = new Map<string, Says>();
  /** What was asked, with settings as they came. */
  readonly asked: MetricQuestion[] = [];
  readonly #now: () => EpochMilliseconds;

  constructor(now: () => EpochMilliseconds) {
    this.#now = now;
  }

  describe(): string {
    return "numbers in memory";
  }

  read(question: MetricQuestion): Promise<MetricReading> {
    this.asked.push(question);
    const said = this.says.get(question.subject.names.environment) ?? {
      kind: "none",
      code: "nothing",
      reason: "nothing was said",
    };
    if (said instanceof Error) return Promise.reject(said);
    // Deaf to its signal, as the worst of drivers is.
    if (said === "hangs") return new Promise(() => undefined);
    return Promise.resolve(typeof said === "number" ? { kind: "value", value: said, at: this.#now() } : said);
  }
}
