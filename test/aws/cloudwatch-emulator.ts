import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { AwsModel } from "./model.ts";

/** The part of GetMetricData that is answered; anything else of it is refused aloud. */
const request = z.strictObject({
  StartTime: z.number(),
  EndTime: z.number(),
  ScanBy: z.enum(["TimestampDescending", "TimestampAscending"]).prefault("TimestampDescending"),
  MetricDataQueries: z.array(
    z.strictObject({
      Id: z.string(),
      ReturnData: z.boolean().prefault(true),
      MetricStat: z.strictObject({
        Metric: z.strictObject({
          Namespace: z.string(),
          MetricName: z.string(),
          Dimensions: z.array(z.strictObject({ Name: z.string(), Value: z.string() })).prefault([]),
        }),
        Period: z.number(),
        Stat: z.enum(["Average", "Sum", "Minimum", "Maximum", "SampleCount"]),
      }),
    }),
  ),
});
type Query = z.output<typeof request>["MetricDataQueries"][number];

const STATISTICS: Readonly<Record<Query["MetricStat"]["Stat"], (values: readonly number[]) => number>> = {
  Average: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  Sum: (values) => values.reduce((sum, value) => sum + value, 0),
  Minimum: (values) => Math.min(...values),
  Maximum: (values) => Math.max(...values),
  SampleCount: (values) => values.length,
};

const SIGNED =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([a-z0-9-]+)\/([a-z]+)\/aws4_request, SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}$/;

/**
 * GetMetricData over HTTP as the SDK speaks it: JSON 1.0 of AWS, signed with version 4 (whose form is checked, not its
 * proof). Each request is checked against AWS's own model, and so is each answer.
 */
export class CloudWatchEmulator {
  readonly #model = AwsModel.read("cloudwatch");
  readonly #server: Server;
  readonly #samples = new Map<string, { readonly at: number; readonly value: number }[]>();
  /** What was wrong with requests; a test expects it to be empty. */
  readonly invalid: string[] = [];
  /** `KEY REGION` of each request. */
  readonly credentials: string[] = [];
  isHanging = false;
  /** Given instead of an answer. */
  refuses: { readonly code: string; readonly status: number } | null = null;
  resultStatus: "Complete" | "InternalError" | "PartialData" | "Forbidden" = "Complete";

  private constructor() {
    this.#server = createServer((asked, answer) => {
      this.#answer(asked, answer).catch((thrown: unknown) => {
        this.invalid.push(String(thrown));
        answer.writeHead(500).end();
      });
    });
  }

  static async start(): Promise<CloudWatchEmulator> {
    const emulator = new CloudWatchEmulator();
    await new Promise<void>((resolve) => emulator.#server.listen(0, "127.0.0.1", resolve));
    return emulator;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** One sample, at a moment in ms since the Unix epoch. */
  put(metric: Query["MetricStat"]["Metric"], value: number, at: number): void {
    const key = keyOf(metric);
    this.#samples.set(key, [...(this.#samples.get(key) ?? []), { at: at / 1_000, value }]);
  }

  /** No samples of any metric. */
  forget(): void {
    this.#samples.clear();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await text(asked);
    if (this.isHanging) return;
    const form = `application/x-amz-json-${this.#model.metadata.jsonVersion}`;
    const operation = this.#operationOf(asked, form);
    const input = JSON.parse(body) as unknown;
    const problems = this.#model.problems(operation, "input", input);
    this.invalid.push(...problems);
    if (this.refuses !== null || problems.length > 0) {
      const { code, status } = this.refuses ?? { code: "ValidationError", status: 400 };
      send(answer, status, { __type: `com.amazonaws.cloudwatch#${code}`, message: problems.join("; ") }, form);
      return;
    }
    const output = this.#results(request.parse(input));
    this.invalid.push(...this.#model.problems(operation, "output", output));
    send(answer, 200, output, form);
  }

  /** From the request's head, which is checked too. */
  #operationOf({ method, headers }: IncomingMessage, form: string): string {
    const { targetPrefix, endpointPrefix } = this.#model.metadata;
    if (method !== "POST" || headers["content-type"] !== form) this.invalid.push(`not a POST of ${form}`);
    const [prefix, operation = ""] = String(headers["x-amz-target"]).split(".");
    if (prefix !== targetPrefix) this.invalid.push(`x-amz-target is ${String(headers["x-amz-target"])}`);
    const [, key = "", region = "", service] = SIGNED.exec(String(headers.authorization)) ?? [];
    if (service !== endpointPrefix) this.invalid.push(`authorization is ${String(headers.authorization)}`);
    this.credentials.push(`${key} ${region}`);
    return operation;
  }

  #results({ MetricDataQueries, StartTime, EndTime, ScanBy }: z.output<typeof request>): unknown {
    const results = MetricDataQueries.filter(({ ReturnData }) => ReturnData).map(({ Id, MetricStat }) => {
      const { Metric, Period, Stat } = MetricStat;
      const within = (this.#samples.get(keyOf(Metric)) ?? []).filter(({ at }) => at >= StartTime && at < EndTime);
      const periods = [...Map.groupBy(within, ({ at }) => Math.floor(at / Period) * Period)];
      const sorted = periods.toSorted(([a], [b]) => (ScanBy === "TimestampDescending" ? b - a : a - b));
      return {
        Id,
        Label: Metric.MetricName,
        Timestamps: sorted.map(([at]) => at),
        Values: sorted.map(([, samples]) => STATISTICS[Stat](samples.map(({ value }) => value))),
        StatusCode: this.resultStatus,
      };
    });
    return { MetricDataResults: results, Messages: [] };
  }
}

function keyOf({ Namespace, MetricName, Dimensions }: Query["MetricStat"]["Metric"]): string {
  const dimensions = Dimensions.map(({ Name, Value }) => `${Name}=${Value}`).toSorted();
  return [Namespace, MetricName, ...dimensions].join("\n");
}

function send(answer: ServerResponse, status: number, body: unknown, form: string): void {
  answer.writeHead(status, { "content-type": form, "x-amzn-requestid": "00000000-0000-0000-0000-000000000000" });
  answer.end(JSON.stringify(body));
}
