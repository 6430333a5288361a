import type { MetricReading } from "../../../model/metric.ts";
import type { Clock, EpochMilliseconds, Milliseconds } from "../../../model/time.ts";
import type { MetricQuestion, MetricsDriver, MetricSubject } from "../../../ports/metrics.ts";
import { none } from "../none.ts";
import { shownText } from "../shown.ts";
import { substitute } from "../substitute.ts";
import type { CloudWatchCalls, CloudWatchSdk, MetricDataInput, MetricDataOutput } from "./sdk.ts";
import { type CloudWatchSettings, cloudWatchSettings } from "./settings.ts";

/** So many periods back the newest value is looked for: metrics arrive late. Older than that is no evidence. */
const LOOK_BACK = 5;
const LEAST_LOOK_BACK_MS: Milliseconds = 5 * 60_000;

export interface CloudWatchParts {
  readonly clock: Clock;
  readonly load: () => Promise<CloudWatchSdk>;
}

/** Asks Amazon CloudWatch for the newest whole period of one metric (GetMetricData). */
export class CloudWatchMetrics implements MetricsDriver {
  readonly name = "cloudwatch";
  readonly #parts: CloudWatchParts;
  #sdk: Promise<CloudWatchSdk> | null = null;
  /** By region: a client keeps connections and credentials. */
  readonly #calls = new Map<string, CloudWatchCalls>();

  constructor(parts: CloudWatchParts) {
    this.#parts = parts;
  }

  describe(settings: Readonly<Record<string, unknown>>): string {
    const { namespace, metric, statistic, region } = settings;
    const where = region === undefined ? "" : ` in ${shownText(region)}`;
    return `CloudWatch${where}: ${shownText(statistic)} of ${shownText(namespace)} ${shownText(metric)}`;
  }

  async read({ settings, subject }: MetricQuestion, signal: AbortSignal): Promise<MetricReading> {
    signal.throwIfAborted();
    const read = cloudWatchSettings.safeParse(settings);
    if (!read.success) return none("settings", "the settings of this source are not those of CloudWatch");
    const now = this.#parts.clock.now();
    try {
      const calls = await this.#connect(read.data.region);
      signal.throwIfAborted();
      return newest(await calls.getMetricData(inputOf(read.data, subject, now), signal), read.data);
    } catch (thrown) {
      signal.throwIfAborted();
      return none("unreachable", `CloudWatch did not answer: ${nameOf(thrown)}`);
    }
  }

  async #connect(region: string | undefined): Promise<CloudWatchCalls> {
    this.#sdk ??= this.#parts.load();
    const sdk = await this.#sdk.catch((thrown: unknown) => {
      this.#sdk = null;
      throw thrown;
    });
    const known = this.#calls.get(region ?? "");
    if (known !== undefined) return known;
    const calls = sdk.connect(region);
    this.#calls.set(region ?? "", calls);
    return calls;
  }
}

/** The end is at a border of periods: a value of a period that is not over yet would be of a part of it. */
function inputOf(settings: CloudWatchSettings, subject: MetricSubject, now: EpochMilliseconds): MetricDataInput {
  const { namespace, metric, dimensions, statistic, periodMs } = settings;
  const end = Math.floor(now / periodMs) * periodMs;
  const start = end - Math.ceil(Math.max(LOOK_BACK * periodMs, LEAST_LOOK_BACK_MS) / periodMs) * periodMs;
  const asIs = (text: string): string => substitute(text, subject, (name) => name);
  const Metric = {
    Namespace: asIs(namespace),
    MetricName: asIs(metric),
    Dimensions: dimensions.map(({ name, value }) => ({ Name: name, Value: asIs(value) })),
  };
  return {
    MetricDataQueries: [
      { Id: "teal", MetricStat: { Metric, Period: periodMs / 1_000, Stat: statistic }, ReturnData: true },
    ],
    StartTime: new Date(start),
    EndTime: new Date(end),
    ScanBy: "TimestampDescending",
  };
}

function newest(
  { MetricDataResults: results = [] }: MetricDataOutput,
  { periodMs }: CloudWatchSettings,
): MetricReading {
  const [first, ...others] = results;
  if (first === undefined) return none("nothing", "CloudWatch gave no result");
  if (others.length > 0) return none("several", "CloudWatch gave several series");
  const { StatusCode: status, Values: values = [], Timestamps: times = [] } = first;
  if (status !== undefined && status !== "Complete") return none("refused", `CloudWatch answered ${status}`);
  const [value] = values;
  const [began] = times;
  if (value === undefined || began === undefined) return none("nothing", "CloudWatch has no value of the last periods");
  if (!Number.isFinite(value)) return none("no-number", "CloudWatch gave something that is no number");
  return { kind: "value", value, at: began.getTime() + periodMs };
}

/** The error's kind alone: messages of the SDK hold request ids, which differ each time. */
function nameOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "it failed";
  const { code } = thrown as { readonly code?: unknown };
  return typeof code === "string" ? code : thrown.name === "Error" ? thrown.message : thrown.name;
}
