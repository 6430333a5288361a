import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CloudWatchEmulator } from "../../../../test/aws/cloudwatch-emulator.ts";
import { ManualClock } from "../../../engine/testing/manual-clock.ts";
import { cloudWatchSdk } from "../../../main/cloudwatch.ts";
import { metricsConformance } from "../../../ports/metrics.conformance.ts";
import { subject } from "../fixtures.ts";
import { CloudWatchMetrics, type CloudWatchParts } from "./driver.ts";

const PERIOD_MS = 60_000;
const never = new AbortController().signal;
const settings = {
  namespace: "Shop/$service",
  metric: "QueueLag",
  dimensions: [{ name: "Environment", value: "$environment" }],
  statistic: "Average",
  periodMs: PERIOD_MS,
};
const metric = (environment: string) => ({
  Namespace: "Shop/web",
  MetricName: "QueueLag",
  Dimensions: [{ Name: "Environment", Value: environment }],
});

/** The SDK finds the emulator as it would find any other endpoint. */
async function emulated() {
  const emulator = await CloudWatchEmulator.start();
  vi.stubEnv("AWS_ENDPOINT_URL_CLOUDWATCH", emulator.url);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "hush");
  vi.stubEnv("AWS_REGION", "eu-central-1");
  const clock = new ManualClock(1_800_000_000_000);
  const load = vi.fn<CloudWatchParts["load"]>(() => Promise.resolve(cloudWatchSdk));
  return { emulator, clock, load, driver: new CloudWatchMetrics({ clock, load }) };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

metricsConformance(
  "cloudwatch",
  async () => {
    const { emulator, clock, driver } = await emulated();
    return {
      driver,
      settings,
      subject,
      say: (environment, what) => {
        clock.advance(PERIOD_MS);
        if (typeof what === "number") emulator.put(metric(environment), what, clock.now() - PERIOD_MS);
        else if (what === "nothing") emulator.forget();
        else emulator.refuses = { code: "InternalServiceFault", status: 500 };
        return Promise.resolve();
      },
      hang: () => Promise.resolve(void (emulator.isHanging = true)),
      die: () => emulator.close(),
      close: async () => {
        await emulator.close();
        expect(emulator.invalid).toEqual([]);
      },
    };
  },
  {
    "not a number": "CloudWatch takes no NaN",
    "several series": "one statistic of one metric is asked for",
  },
);

describe("the CloudWatch driver", () => {
  let made: Awaited<ReturnType<typeof emulated>>;
  beforeEach(async () => {
    made = await emulated();
  });
  afterEach(() => made.emulator.close());
  const read = (over: object = {}) =>
    made.driver.read({ settings: { ...settings, ...over }, subject: subject("green") }, never);

  it("reads the newest whole period, however late it is within the last ones, and says when that ended", async () => {
    const now = made.clock.now();
    const border = Math.floor(now / PERIOD_MS) * PERIOD_MS;
    made.emulator.put(metric("green"), 3, border - 2 * PERIOD_MS);
    made.emulator.put(metric("green"), 5, border - 2 * PERIOD_MS + 1_000);
    // Of a period that is not over.
    made.emulator.put(metric("green"), 999, border);
    expect(await read()).toEqual({ kind: "value", value: 4, at: border - PERIOD_MS });
    expect(await read({ statistic: "Sum" })).toMatchObject({ value: 8 });
    expect(made.emulator.invalid).toEqual([]);
    made.clock.advance(10 * PERIOD_MS);
    expect(await read()).toEqual({
      kind: "none",
      code: "nothing",
      reason: "CloudWatch has no value of the last periods",
    });
  });

  it("goes to the region of teal.yaml, else to that of its environment; the SDK is loaded once, by the first", async () => {
    expect(made.load).not.toHaveBeenCalled();
    await read();
    await read({ region: "us-east-2" });
    await read();
    expect(made.emulator.credentials).toEqual([
      "AKIDEXAMPLE eu-central-1",
      "AKIDEXAMPLE us-east-2",
      "AKIDEXAMPLE eu-central-1",
    ]);
    expect(made.load).toHaveBeenCalledTimes(1);
  });

  it.each(["InternalError", "PartialData", "Forbidden"] as const)(
    "takes a result that is %s for none",
    async (status) => {
      made.emulator.put(metric("green"), 3, made.clock.now() - PERIOD_MS);
      made.emulator.resultStatus = status;
      expect(await read()).toEqual({ kind: "none", code: "refused", reason: `CloudWatch answered ${status}` });
    },
  );

  it("names the kind of a refusal, and not its id", async () => {
    made.emulator.refuses = { code: "AccessDenied", status: 403 };
    expect(await read()).toEqual({
      kind: "none",
      code: "unreachable",
      reason: "CloudWatch did not answer: AccessDenied",
    });
  });

  it("is heard when it asks for what the model forbids", async () => {
    await read({ dimensions: [{ name: "", value: "x" }], metric: "" });
    expect(made.emulator.invalid).toEqual([
      "input.MetricDataQueries[0].MetricStat.Metric.MetricName: 0 is outside 1 to 255",
      "input.MetricDataQueries[0].MetricStat.Metric.Dimensions[0].Name: 0 is outside 1 to 255",
    ]);
  });
});
