import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NO_TRAFFIC } from "../analysis/counters.ts";
import type { TealError } from "../model/error.ts";
import type { SeriesChunk } from "../model/series.ts";
import type { TrafficSample } from "../model/traffic.ts";
import { sampleAcceptance, sampleDeployment, sampleEvent } from "../store/samples.ts";
import { Hub } from "./hub.ts";
import { SteadyTraffic } from "./steady-traffic.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { TrafficRecorder } from "./traffic-recorder.ts";

const AT = 1_800_000_000_000;
const HOUR = 3_600_000;

describe("the traffic of a deployment", () => {
  let disk: FaultyStore;
  let clock: ManualClock;
  let hub: Hub;
  let over: AbortController;
  let problems: TealError[];
  let recorder: TrafficRecorder;
  let seq: number;
  const total = { blue: 0, green: 0, failed: 0 };
  /** Whether what green answers is a failure. */
  let isFailing: boolean;

  /** A server's part of it. */
  function serve(): void {
    hub = new Hub();
    over = new AbortController();
    const steady = new SteadyTraffic();
    steady.listen(hub, over.signal);
    recorder = new TrafficRecorder(
      { hub, store: disk.store, clock, report: (problem) => problems.push(problem) },
      steady,
    );
    recorder.listen(over.signal);
  }

  beforeEach(async () => {
    disk = new FaultyStore();
    clock = new ManualClock(AT);
    problems = [];
    seq = 0;
    isFailing = true;
    Object.assign(total, { blue: 0, green: 0, failed: 0 });
    await disk.store.claim("web", 0);
    await disk.store.accept(sampleAcceptance("dep_1"));
    serve();
  });
  afterEach(() => {
    over.abort();
  });

  /** Blue answers nine and green one, which fails at first, in the time since the last. */
  function sample(more: Partial<TrafficSample> = {}): void {
    total.blue += 9;
    total.green += 1;
    if (isFailing) total.failed += 1;
    const latency = NO_TRAFFIC.latency.map((_, bucket) => (bucket === 20 ? total.blue : 0));
    hub.publish("sample", {
      service: "web",
      epoch: "e1",
      at: clock.now(),
      switches: 1,
      environments: {
        blue: { ...NO_TRAFFIC, requests: total.blue, latency },
        green: { ...NO_TRAFFIC, requests: total.green, failures: total.failed },
      },
      ...more,
    });
  }

  /** A reading after each of so many of these spans. */
  async function samples(n: number, everyMs: number): Promise<void> {
    for (let i = 0; i < n; i += 1) {
      clock.advance(everyMs);
      sample();
      await turns();
    }
  }

  function told(type: "step-started" | "step-completed" | "deployment-state", data: Record<string, string>): void {
    const step = data["uses"]?.replace(/@\d+$/, "-1") ?? null;
    hub.publish("event", { ...sampleEvent({ deployment: "dep_1", type, step, data }), seq: (seq += 1) });
  }

  /** Its pieces when it has ended. */
  async function ended(state = "completed"): Promise<readonly SeriesChunk[]> {
    told("deployment-state", { to: state });
    await turns();
    return disk.store.series("dep_1");
  }

  const requests = (chunks: readonly SeriesChunk[]): number =>
    chunks
      .flatMap(({ points }) => points)
      .reduce((sum, { environments }) => sum + (environments["green"]?.requests ?? 0), 0);

  test("is kept from its first shift to its end, with the step that watched", async () => {
    sample();
    clock.advance(100);
    sample();
    told("step-started", { uses: "shift@1" });
    await samples(1, 600);
    clock.advance(20);
    sample();
    told("step-completed", {});
    told("step-started", { uses: "validate@1" });
    await samples(1, 1_000);
    told("deployment-state", { to: "rolling-back" });
    expect(await disk.store.series("dep_1")).toEqual([]);
    await samples(1, 10);
    const [chunk] = await ended("rolled-back");
    expect(chunk).toMatchObject({
      format: 1,
      deployment: "dep_1",
      number: 0,
      from: AT + 100,
      before: { blue: [[120, 9]] },
    });
    expect(chunk?.points.map(({ at, step }) => [at - AT, step])).toEqual([
      [700, "shift-1"],
      // What came until the step was over is its own.
      [720, "shift-1"],
      [1_720, null],
      [1_730, null],
    ]);
    expect(chunk?.points[0]?.environments).toEqual({
      blue: { requests: 9, failures: 0, connectFailures: 0, latency: [[120, 9]] },
      green: { requests: 1, failures: 1, connectFailures: 0, latency: [] },
    });
    sample();
    expect(await ended("rolled-back")).toHaveLength(1);
  });

  test("is kept reading by reading at first and while requests fail, for so long at most, and else by the second", async () => {
    sample();
    told("step-started", { uses: "shift@1" });
    const steady = { latency: NO_TRAFFIC.latency, requests: 1_000, failures: 0 };
    const good = async (n: number) => {
      for (let i = 0; i < n; i += 1) {
        steady.requests += 10;
        clock.advance(100);
        sample({ environments: { blue: { ...NO_TRAFFIC, ...steady } } });
        await turns();
      }
    };
    const kept = async () => (await ended(), (await disk.store.series("dep_1")).flatMap(({ points }) => points));
    await good(400);
    steady.failures += 5;
    await good(50);
    const ats = (await kept()).map(({ at }) => (at - AT) / 1_000);
    expect(ats.filter((at) => at < 30)).toHaveLength(299);
    // The failing reading comes at 40.1 s, and is told from the second before.
    expect(ats.filter((at) => at >= 30 && at <= 40)).toHaveLength(10);
    expect(ats.filter((at) => at > 40 && at <= 42.1)).toHaveLength(21);
    expect(ats.filter((at) => at > 42.1).length).toBeLessThan(5);
  });

  test("is written a minute at a time, ever more coarsely, and with what the disk had refused", async () => {
    sample();
    told("step-started", { uses: "shift@1" });
    disk.refusing = true;
    await samples(60, 1_000);
    expect(problems.map(({ code }) => code)).toEqual(["store-failed"]);
    disk.refusing = false;
    await samples(60, 1_000);
    const written = await disk.store.series("dep_1");
    expect(written.map(({ number, from, points }) => [number, from - AT, points.length])).toEqual([[0, 0, 120]]);
    expect(written[0]?.before).toEqual({ blue: [], green: [] });
    isFailing = false;
    await samples(1, HOUR);
    await samples(2, 5_000);
    const second = (await ended())[1];
    expect(second).toMatchObject({ number: 1, from: AT + 120_000 });
    expect(second?.points.map(({ at }) => at - AT - HOUR)).toEqual([120_000, 130_000]);
  });

  test("whose write is answered with an error though it was done is there once", async () => {
    sample();
    told("step-started", { uses: "shift@1" });
    disk.losesAnswerOf = "putSeries";
    await samples(60, 1_000);
    await samples(1, 1_000);
    const chunks = await ended();
    expect(chunks.map(({ number, points }) => [number, points.length])).toEqual([[0, 61]]);
    expect(requests(chunks)).toBe(61);
  });

  test.each([-HOUR, HOUR])("goes on in its order when the wall clock is set by %i ms", async (ms) => {
    sample();
    told("step-started", { uses: "shift@1" });
    await samples(90, 1_000);
    clock.jump(ms);
    await samples(90, 1_000);
    const chunks = await ended();
    expect(chunks.map(({ number, points }) => [number, points.length])).toEqual([
      [0, 60],
      [1, 60],
      [2, 60],
    ]);
    const points = chunks.flatMap((chunk) => chunk.points);
    expect(points.map(({ at }) => (at - AT) / 1_000)).toEqual(Array.from({ length: 180 }, (_, index) => index + 1));
    expect(points.map(({ clockMs }) => clockMs)).toEqual([
      ...Array.from({ length: 90 }, () => undefined),
      ...Array.from({ length: 90 }, () => ms),
    ]);
  });

  test.each([0, -HOUR])(
    "goes on in another server, whose clock differs by %i ms, and has what came meanwhile",
    async (ms) => {
      sample();
      told("step-started", { uses: "shift@1" });
      await samples(75, 1_000);
      over.abort();
      const origin = clock.now() + ms + 20_000;
      clock = new ManualClock(origin);
      serve();
      await recorder.resume(sampleDeployment("dep_1", { touchedTraffic: true }));
      sample();
      told("step-started", { uses: "shift@1" });
      await samples(30, 1_000);
      const chunks = await ended("aborted");
      expect(chunks.map(({ number, from }) => [number, from - AT])).toEqual([
        [0, 0],
        // What the server before had not written yet is in its first interval.
        [1, 60_000],
      ]);
      const points = chunks.flatMap((chunk) => chunk.points);
      const ats = points.map(({ at }) => at);
      expect(ats).toEqual(ats.toSorted((a, b) => a - b));
      // All that was counted, but for the first reading, where counting begins.
      expect(requests(chunks)).toBe(total.green - 1);
    },
  );

  test("goes on after a restart of the server, of what had touched traffic", async () => {
    await recorder.resume(sampleDeployment("dep_1"));
    sample();
    expect(await ended("failed")).toEqual([]);
    await recorder.resume(sampleDeployment("dep_1", { touchedTraffic: true }));
    await samples(2, 1_000);
    const chunks = await ended("aborted");
    expect(chunks.map(({ from, points }) => [from - AT, points.length])).toEqual([[1_000, 1]]);
  });

  test("is not kept where what was kept before cannot be read: that is left as it is", async () => {
    sample();
    told("step-started", { uses: "shift@1" });
    await samples(60, 1_000);
    const before = await disk.store.series("dep_1");
    over.abort();
    serve();
    disk.losesAnswerOf = "lastSeries";
    await recorder.resume(sampleDeployment("dep_1", { touchedTraffic: true }));
    expect(problems.map(({ code }) => code)).toEqual(["store-failed"]);
    told("step-started", { uses: "shift@1" });
    await samples(61, 1_000);
    expect(await ended()).toEqual(before);
  });

  test("of a step that is no shift, or of another service, is not kept", async () => {
    told("step-started", { uses: "start@1" });
    await samples(2, 1_000);
    told("step-started", { uses: "shift@1" });
    clock.advance(1_000);
    sample({ service: "other" });
    expect(await ended()).toEqual([]);
  });
});

/** Lets the store answer. */
async function turns(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
