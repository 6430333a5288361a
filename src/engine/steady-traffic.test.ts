import { describe, expect, it } from "vitest";
import { NO_TRAFFIC } from "../analysis/counters.ts";
import type { Deployment } from "../model/deployment.ts";
import { Hub } from "./hub.ts";
import { settledAt, SteadyTraffic } from "./steady-traffic.ts";

/** Feeds readings of [when, switches, requests of blue, epoch] to one that listens. */
function after(readings: readonly (readonly [number, number, number, string?])[]): SteadyTraffic {
  const hub = new Hub();
  const steady = new SteadyTraffic();
  steady.listen(hub, new AbortController().signal);
  for (const [at, switches, requests, epoch = "a"] of readings) {
    const environments = { blue: { ...NO_TRAFFIC, requests } };
    hub.publish("sample", { service: "web", epoch, at, switches, environments });
  }
  return steady;
}
const requests = (steady: SteadyTraffic, settled: number | null): number | undefined =>
  steady.of("web", settled)?.environments["blue"]?.requests;

describe("traffic while a release is active", () => {
  // Settled at 150; a deployment that is taken back, from 300 to 400.
  const readings = [
    [100, 1, 10],
    [200, 1, 20],
    [300, 2, 30],
    [400, 3, 40],
    [500, 3, 50],
  ] as const;

  it("goes on through deployments that were taken back", () => {
    expect(requests(after(readings), 150)).toBe(40);
    expect(requests(after(readings), 450)).toBe(10);
  });

  it("is what is known where more is asked for, and since the last change where nothing else is", () => {
    expect(requests(after(readings), 50)).toBe(40);
    expect(requests(after(readings), null)).toBe(10);
    expect(after([]).of("web", null)).toBeNull();
  });

  it("begins anew with the data plane", () => {
    expect(requests(after([...readings, [600, 3, 7, "b"], [700, 3, 9, "b"]]), 150)).toBe(2);
  });
});

describe("when the active release came to be so", () => {
  const row = (change: Partial<Deployment>): Deployment => ({
    id: "dep",
    service: "web",
    goal: "deploy",
    state: "completed",
    from: "blue",
    to: "green",
    release: "r",
    version: "v",
    touchedTraffic: true,
    cause: null,
    by: "me",
    reason: null,
    createdAt: 0,
    startedAt: 0,
    endedAt: null,
    ...change,
  });

  it("is the end of the newest deployment that was not taken back", () => {
    const done = row({ endedAt: 5 });
    const running = row({ state: "running" });
    const back = row({ state: "rolled-back", endedAt: 9 });
    const stopped = row({ state: "aborted", endedAt: 8 });
    const unborn = row({ state: "failed", touchedTraffic: false, endedAt: 7 });
    const retired = row({ goal: "retire", endedAt: 6 });
    expect(settledAt([running, back, stopped, unborn, retired, done])).toBe(5);
    expect(settledAt([running, row({ state: "failed", endedAt: 9 }), done])).toBe(9);
  });

  it("is before all that were taken back, when no other is known", () => {
    const back = row({ state: "rolled-back", createdAt: 3, endedAt: 9 });
    expect(settledAt([row({ state: "running", createdAt: 10 }), back])).toBe(3);
    expect(settledAt([])).toBeNull();
  });
});
