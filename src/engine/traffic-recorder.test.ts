import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NO_TRAFFIC } from "../analysis/counters.ts";
import type { SeriesChunk } from "../model/series.ts";
import { TealError } from "../model/error.ts";
import type { TrafficSample } from "../model/traffic.ts";
import { sampleDeployment, sampleEvent } from "../store/samples.ts";
import { Hub } from "./hub.ts";
import { SteadyTraffic } from "./steady-traffic.ts";
import { TrafficRecorder } from "./traffic-recorder.ts";

const AT = 1_800_000_000_000;

describe("the traffic of a deployment", () => {
  let hub: Hub;
  let over: AbortController;
  let written: SeriesChunk[];
  let problems: TealError[];
  let isFull: boolean;
  let recorder: TrafficRecorder;
  let seq: number;
  const total = { blue: 0, green: 0, failed: 0 };

  beforeEach(() => {
    hub = new Hub();
    over = new AbortController();
    written = [];
    problems = [];
    isFull = false;
    seq = 0;
    Object.assign(total, { blue: 0, green: 0, failed: 0 });
    const steady = new SteadyTraffic();
    steady.listen(hub, over.signal);
    const store = {
      putSeries: (chunk: SeriesChunk) => {
        if (isFull) return Promise.reject(new TealError("store-failed", "full"));
        written.push(chunk);
        return Promise.resolve();
      },
    };
    recorder = new TrafficRecorder({ hub, store: store as never, report: (problem) => problems.push(problem) }, steady);
    recorder.listen(over.signal);
  });
  afterEach(() => {
    over.abort();
  });

  /** Blue answers nine and green one, which fails, in the time since the last. */
  function sample(ms: number, more: Partial<TrafficSample> = {}): void {
    total.blue += 9;
    total.green += 1;
    total.failed += 1;
    const latency = NO_TRAFFIC.latency.map((_, bucket) => (bucket === 20 ? total.blue : 0));
    hub.publish("sample", {
      service: "web",
      epoch: "e1",
      at: AT + ms,
      switches: 1,
      environments: {
        blue: { ...NO_TRAFFIC, requests: total.blue, latency },
        green: { ...NO_TRAFFIC, requests: total.green, failures: total.failed },
      },
      ...more,
    });
  }

  function told(type: "step-started" | "deployment-state", data: Record<string, unknown>): void {
    hub.publish("event", { ...sampleEvent({ deployment: "dep_1", type, data }), seq: (seq += 1) });
  }

  test("is kept second by second from its first shift to its end", () => {
    sample(-200);
    sample(-100);
    told("step-started", { uses: "shift@1" });
    for (let ms = 0; ms <= 2_500; ms += 100) sample(ms);
    told("deployment-state", { to: "rolling-back" });
    expect(written).toEqual([]);
    told("deployment-state", { to: "rolled-back" });
    const [chunk] = written;
    expect(chunk).toMatchObject({ format: 1, deployment: "dep_1", from: AT - 100, before: { blue: [[120, 9]] } });
    expect(chunk?.points.map(({ at }) => at - AT)).toEqual([900, 1_900, 2_500]);
    expect(chunk?.points[0]?.environments).toEqual({
      blue: { requests: 90, failures: 0, connectFailures: 0, latency: [[120, 90]] },
      green: { requests: 10, failures: 10, connectFailures: 0, latency: [] },
    });
    sample(9_000);
    told("deployment-state", { to: "rolled-back" });
    expect(written).toHaveLength(1);
  });

  test("is written a minute at a time, ever more coarsely, and with what the disk had refused", async () => {
    sample(0);
    told("step-started", { uses: "shift@1" });
    isFull = true;
    for (let s = 1; s <= 60; s++) sample(s * 1_000);
    await Promise.resolve();
    await Promise.resolve();
    expect(problems.map(({ code }) => code)).toEqual(["store-failed"]);
    isFull = false;
    sample(61_000);
    await Promise.resolve();
    expect(written.map(({ from, points }) => [from - AT, points.length])).toEqual([[0, 61]]);
    expect(written[0]?.before).toEqual({ blue: [], green: [] });
    sample(3_600_000);
    sample(3_605_000);
    sample(3_610_000);
    told("deployment-state", { to: "completed" });
    expect(written[1]?.points.map(({ at }) => at - AT)).toEqual([3_600_000, 3_610_000]);
  });

  test("goes on after a restart of the server, of what had touched traffic", () => {
    recorder.resume(sampleDeployment("dep_1"));
    sample(0);
    told("deployment-state", { to: "failed" });
    expect(written).toEqual([]);
    recorder.resume(sampleDeployment("dep_1", { touchedTraffic: true }));
    sample(1_000);
    sample(2_000);
    told("deployment-state", { to: "aborted" });
    expect(written.map(({ from, points }) => [from - AT, points.length])).toEqual([[1_000, 1]]);
  });

  test("of a step that is no shift, or of another service, is not kept", () => {
    told("step-started", { uses: "start@1" });
    sample(0);
    sample(1_000);
    told("step-started", { uses: "shift@1" });
    sample(2_000, { service: "other" });
    told("deployment-state", { to: "completed" });
    expect(written).toEqual([]);
  });
});
