import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import type { DrainTimes } from "../model/drain.ts";
import type { Receipt, Weights } from "../model/traffic.ts";
import type { ServiceTable } from "../wire/proxy.ts";
import { LEDGER } from "./cells.ts";
import { DrainWatch } from "./drain-watch.ts";
import type { ToWorker } from "./messages.ts";
import { ServiceState } from "./service-state.ts";
import { TrafficSwitch } from "./traffic-switch.ts";

const ENVIRONMENTS = ["blue", "green"] as const;
const LONG: DrainTimes = { drainMs: 1_000, longLivedMs: 60_000 };
const MINUTE = 60_000;

describe("draining, by a clock that stands still", () => {
  let clock: ManualClock;
  let service: ServiceState;
  let watch: DrainWatch;
  let told: { readonly at: number; readonly message: Extract<ToWorker, { kind: "cut" }> }[];
  let receipts: Receipt[];
  let version: number;

  beforeEach(() => {
    clock = new ManualClock();
    service = new ServiceState("web", 1);
    told = [];
    receipts = [];
    version = 1;
    watch = new DrainWatch({
      clock,
      random: () => 0.5,
      tell: (message) => {
        if (message.kind === "cut") told.push({ at: clock.monotonic(), message });
      },
      onFinal: (receipt) => receipts.push(receipt),
    });
  });

  /** Moves time on in steps as short as the watch looks. */
  const pass = async (ms: number): Promise<void> => {
    for (const end = clock.monotonic() + ms; clock.monotonic() < end;) {
      clock.advance(Math.min(50, end - clock.monotonic()));
      await new Promise(setImmediate);
    }
  };

  const goLive = (weights: Weights, releases: Readonly<Record<string, string>> = {}): void => {
    const table: ServiceTable = {
      service: "web",
      fence: 1,
      generation: version,
      deployment: null,
      weights: { ...weights },
      backends: ENVIRONMENTS.map((environment) => ({
        environment,
        release: releases[environment] ?? "v1",
        instances: [{ id: `web/${environment}/0`, address: "127.0.0.1:1" }],
      })),
      revertTo: null,
      traffic: { driver: "embedded", hosts: [], paths: ["/"], ...LONG, onControllerLoss: "keep" },
      health: {
        path: "/",
        status: 200,
        intervalMs: 1,
        timeoutMs: 1,
        healthyAfter: 1,
        unhealthyAfter: 1,
        deadlineMs: 1,
      },
    };
    service.goLive(service.prepare(table, version));
    version += 2;
    const split = { fence: 1, generation: version, weights };
    service.register = { ...service.register, split };
  };

  const switchTo = (weights: Weights, releases: Readonly<Record<string, string>> = {}, times = LONG): void => {
    const before = service.records;
    const from = service.register.split?.weights ?? {};
    goLive(weights, releases);
    const facts = { service: "web", deployment: null, generation: version, from, to: weights, at: clock.now() };
    watch.follow(new TrafficSwitch({ ...facts, before, counters: service.counters }), service, times);
  };

  /** Requests of an environment on the version that is live. */
  const count = (environment: (typeof ENVIRONMENTS)[number], what: "started" | "ended", by: number): void => {
    const ledger = service.published[0]?.ledger;
    const at = ENVIRONMENTS.indexOf(environment) * LEDGER.length + LEDGER[what];
    if (ledger !== undefined) ledger[at] = (ledger[at] ?? 0) + by;
  };

  const cutsOf = (environment: string): readonly number[] =>
    told.filter(({ message }) => message.environment === environment).map(({ at }) => at);

  test("short requests at `drain`; long-lived ones from `longLived` on, in batches of equal size over a tenth of it", async () => {
    goLive({ blue: 100 });
    count("blue", "started", 10);
    switchTo({ green: 100 });
    await pass(59_900);
    expect(told.map(({ at, message }) => [at, message.which, message.share])).toEqual([[1_000, "silent", 1]]);
    await pass(6_200);
    const batches = told.slice(1);
    // 6 s in slots of 250 ms, each in the middle of its slot.
    expect(batches.map(({ message }) => message.share)).toEqual(Array.from({ length: 24 }, (_, i) => 1 / (24 - i)));
    batches.forEach(({ at }, i) => {
      expect(at - MINUTE).toBeGreaterThanOrEqual(i * 250 + 125);
      expect(at - MINUTE).toBeLessThan(i * 250 + 125 + 50);
    });
    expect(receipts).toEqual([]);
    await pass(5_000);
    expect(receipts).toMatchObject([{ inFlight: 10, drained: 0, final: true }]);
  });

  test("a side that gets its traffic back in time is spared, and has the whole time again when it loses it once more", async () => {
    goLive({ blue: 100 });
    count("blue", "started", 3);
    switchTo({ green: 100 });
    count("green", "started", 2);
    await pass(30_000);
    switchTo({ blue: 100 });
    await pass(50_000);
    expect(cutsOf("blue")).toEqual([1_000]);
    switchTo({ green: 100 });
    const again = clock.monotonic();
    await pass(70_000);
    expect(cutsOf("blue").filter((at) => at > 1_000 && at < again + MINUTE)).toEqual([again + 1_000]);
    expect(cutsOf("blue").filter((at) => at >= again + MINUTE)).toHaveLength(24);
    // Green's two were switched away from at 30 s, and back to before their minute was over.
    expect(cutsOf("green")).toEqual([31_000]);
  });

  test("in the middle of the batches, too", async () => {
    goLive({ blue: 100 });
    count("blue", "started", 100);
    switchTo({ green: 100 });
    await pass(63_000);
    const before = cutsOf("blue").length;
    expect(before).toBeGreaterThan(5);
    switchTo({ blue: 100 });
    await pass(20_000);
    expect(cutsOf("blue")).toHaveLength(before);
    // Those that are left are neither drained nor cut: they go on, on the side that has the traffic again.
    expect(receipts).toContainEqual(expect.objectContaining({ inFlight: 100, drained: 0, cut: 0, final: true }));
  });

  test("another release in its place does not spare it", async () => {
    goLive({ blue: 100 });
    count("blue", "started", 1);
    switchTo({ green: 100 });
    switchTo({ blue: 100 }, { blue: "v2" });
    await pass(70_000);
    expect(cutsOf("blue").filter((at) => at >= MINUTE)).not.toEqual([]);
  });

  test("told to end long-lived ones now, it does so in batches, and spares the rest", async () => {
    goLive({ blue: 100 });
    watch.endLongLived(service, 1);
    await pass(7_000);
    const blue = told.filter(({ message }) => message.environment === "blue");
    expect(blue.map(({ message }) => [message.which, message.share])).toEqual(
      Array.from({ length: 24 }, (_, i) => ["endless", 1 / (24 - i)]),
    );
    expect(blue[0]?.at).toBeLessThan(250);
    expect(blue.at(-1)?.at).toBeGreaterThan(5_500);
  });

  test("what a dead worker had in flight was cut, and did not drain", async () => {
    goLive({ blue: 100 });
    count("blue", "started", 3);
    count("blue", "ended", 1);
    switchTo({ green: 100 });
    service.forgetWorker(0);
    await pass(100);
    expect(receipts).toMatchObject([{ inFlight: 2, drained: 0, cut: 2, final: true }]);
  });

  test("a process that stood still past the last deadline cuts all the same", async () => {
    goLive({ blue: 100 });
    count("blue", "started", 2);
    switchTo({ green: 100 });
    clock.advance(10 * MINUTE);
    await pass(100);
    expect(told.at(-1)?.message).toMatchObject({ environment: "blue", which: "all", share: 1 });
    expect(receipts).toHaveLength(1);
  });

  test("a process that stood still lets its workers read what came meanwhile, and cuts then", async () => {
    goLive({ blue: 100 });
    count("blue", "started", 1);
    switchTo({ green: 100 });
    clock.advance(10 * MINUTE);
    await new Promise(setImmediate);
    expect([told, receipts]).toEqual([[], []]);
    await pass(100);
    expect(told.length).toBeGreaterThan(0);
    expect(receipts).toHaveLength(1);
  });

  test("is over as soon as the last one has ended by itself", async () => {
    goLive({ blue: 100 });
    count("blue", "started", 2);
    const { published } = service;
    switchTo({ green: 100 });
    await pass(2_000);
    const ledger = published[0]?.ledger;
    if (ledger !== undefined) ledger[LEDGER.ended] = 2;
    await pass(100);
    expect(receipts).toMatchObject([{ inFlight: 2, drained: 2, cut: 0, final: true }]);
    expect(told).toHaveLength(1);
  });
});
