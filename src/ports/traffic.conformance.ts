import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MaintenanceOrder } from "../model/maintenance.ts";
import type { HealthSpec, TrafficSpec } from "../model/service.ts";
import type { TrafficSample, Weights } from "../model/traffic.ts";
import type { ActContext } from "./context.ts";
import type { ToldObservation, TrafficBackend, TrafficChange, TrafficDriver, TrafficNotice } from "./traffic.ts";

export interface TrafficHarness {
  readonly driver: TrafficDriver;
  /** An environment with instances that are healthy and answer every request with the environment's name. */
  backend(environment: string): Promise<TrafficBackend>;
  /** Makes the instances of that environment fail their health checks, or pass them again. */
  setHealth(environment: string, isHealthy: boolean): void;
  /** One request to the service; the name of the environment that answered, or null when none did. */
  request(): Promise<string | null>;
  close(): Promise<void>;
}

const SERVICE = "web";
const PATIENCE = { timeout: 20_000, interval: 20 };
const BLUE: Weights = { blue: 100, green: 0 };
const GREEN: Weights = { blue: 0, green: 100 };

const HEALTH: HealthSpec = {
  path: "/health",
  status: 200,
  intervalMs: 200,
  timeoutMs: 1_000,
  healthyAfter: 1,
  unhealthyAfter: 3,
  deadlineMs: 10_000,
};

/** What every traffic driver does alike: the rules of order, fence and latch, the revert, what it reads back, what it tells. */
export function trafficConformance(
  name: string,
  makeHarness: () => Promise<TrafficHarness>,
  lacks: {
    /** Why the driver has no maintenance. */
    readonly maintenance?: string;
    /** Why its data plane tells nothing by itself. */
    readonly told?: string;
  } = {},
): void {
  describe(`traffic driver ${name}`, () => {
    let harness: TrafficHarness;
    let driver: TrafficDriver;
    let backends: readonly TrafficBackend[];
    let over: AbortController;
    beforeEach(async () => {
      over = new AbortController();
      harness = await makeHarness();
      ({ driver } = harness);
      backends = [await harness.backend("blue"), await harness.backend("green")];
    });
    afterEach(async () => {
      over.abort();
      await harness.close();
    });

    const context = (fence: number, deadlineMs = 20_000): ActContext => ({
      signal: over.signal,
      fence,
      idempotencyKey: "test",
      attempt: 1,
      deadline: performance.now() + deadlineMs,
    });
    const traffic = (): TrafficSpec => ({
      driver: driver.name,
      hosts: [],
      paths: ["/"],
      drainMs: 1_000,
      longLivedMs: 2_000,
      onControllerLoss: "revert",
    });
    const change = (
      fence: number,
      generation: number,
      weights: Weights,
      more: Partial<TrafficChange> = {},
    ): TrafficChange => ({
      service: SERVICE,
      fence,
      generation,
      deployment: null,
      weights,
      backends,
      revertTo: null,
      traffic: traffic(),
      health: HEALTH,
      ...more,
    });
    const apply = (wanted: TrafficChange): ReturnType<TrafficDriver["apply"]> =>
      driver.apply(wanted, context(wanted.fence));
    const observe = (): ReturnType<TrafficDriver["observe"]> => driver.observe(SERVICE, over.signal);
    /** The start of a shift: everything to green, and back to blue when it is reverted. */
    const shift = (fence: number, generation: number, deployment = "d1"): TrafficChange =>
      change(fence, generation, GREEN, { deployment, revertTo: BLUE });

    test("a service that it has never heard of has no split, nothing armed, nothing latched", async () => {
      expect(await observe()).toMatchObject({ split: null, armed: null, latched: [], instances: [] });
    });

    test("what is applied is what is read back and what serves", async () => {
      const receipt = await apply(change(1, 1, BLUE));
      expect(receipt).toMatchObject({ service: SERVICE, generation: 1, to: BLUE, deployment: null });
      const seen = await observe();
      expect(seen.split).toEqual({ fence: 1, generation: 1, weights: BLUE });
      expect(seen.instances.map(({ environment, healthy }) => [environment, healthy])).toContainEqual(["blue", true]);
      expect(await harness.request()).toBe("blue");
      await apply(change(1, 2, GREEN));
      expect(await harness.request()).toBe("green");
    });

    test("the same again answers the same, and changes nothing", async () => {
      await apply(change(1, 1, BLUE));
      const first = await apply(shift(1, 2));
      const second = await apply(shift(1, 2));
      expect({ ...second, final: true }).toMatchObject({
        generation: first.generation,
        from: first.from,
        to: first.to,
        at: first.at,
      });
      expect((await observe()).split).toEqual({ fence: 1, generation: 2, weights: GREEN });
    });

    test.each([
      ["a lower generation", 2, 4, BLUE],
      ["a lower fence with a higher generation", 1, 9, BLUE],
      ["the same order with other weights", 2, 5, GREEN],
    ])("%s is fenced", async (_, fence, generation, weights) => {
      await apply(change(2, 5, BLUE));
      await expect(apply(change(fence, generation, weights))).rejects.toMatchObject({ code: "fenced" });
      expect((await observe()).split).toEqual({ fence: 2, generation: 5, weights: BLUE });
      expect(await harness.request()).toBe("blue");
    });

    test("a higher fence wins whatever its generation", async () => {
      await apply(change(1, 7, BLUE));
      await apply(change(2, 1, GREEN));
      expect((await observe()).split).toEqual({ fence: 2, generation: 1, weights: GREEN });
    });

    test("weights that do not sum to 100 are refused", async () => {
      await expect(apply(change(1, 1, { blue: 60, green: 30 }))).rejects.toMatchObject({ code: "request-invalid" });
      expect((await observe()).split).toBeNull();
    });

    test("revert gives the traffic back, latches, and the same again is harmless", async () => {
      await apply(change(1, 1, BLUE));
      await apply(shift(1, 2));
      expect((await observe()).armed).toEqual({ deployment: "d1", revertTo: BLUE });
      const because = { kind: "abort", by: "ann", reason: "wrong version" } as const;
      const split = await driver.revert(SERVICE, "d1", over.signal, because);
      expect(split).toEqual({ fence: 1, generation: 3, weights: BLUE });
      expect(await harness.request()).toBe("blue");
      const seen = await observe();
      expect(seen).toMatchObject({
        split,
        armed: null,
        latched: [{ deployment: "d1", fence: 1, cause: "revert", because }],
      });
      expect(await driver.revert(SERVICE, "d1", over.signal)).toEqual(split);
      expect((await observe()).latched).toHaveLength(1);
    });

    test("nothing of a reverted deployment, and no fence up to its own, is accepted again", async () => {
      await apply(change(1, 1, BLUE));
      await apply(shift(1, 2));
      await driver.revert(SERVICE, "d1", over.signal);
      await expect(apply(shift(5, 9))).rejects.toMatchObject({ code: "latched" });
      await expect(apply(change(1, 9, GREEN))).rejects.toMatchObject({ code: "latched" });
      await apply(change(2, 4, GREEN, { deployment: "d2" }));
      expect(await harness.request()).toBe("green");
    });

    test("revert of a deployment that armed nothing latches, and leaves the split", async () => {
      await apply(change(1, 1, BLUE));
      expect(await driver.revert(SERVICE, "d7", over.signal)).toBeNull();
      expect((await observe()).split).toEqual({ fence: 1, generation: 1, weights: BLUE });
      await expect(apply(shift(2, 2, "d7"))).rejects.toMatchObject({ code: "latched" });
    });

    test("revert of a service that it has never heard of latches", async () => {
      expect(await driver.revert(SERVICE, "d1", over.signal)).toBeNull();
      await expect(apply(shift(1, 1))).rejects.toMatchObject({ code: "latched" });
    });

    test("upkeep under the same weights keeps a deployment armed", async () => {
      await apply(change(1, 1, BLUE));
      await apply(shift(1, 2));
      await apply(change(1, 3, GREEN));
      expect((await observe()).armed).toEqual({ deployment: "d1", revertTo: BLUE });
      expect(await driver.revert(SERVICE, "d1", over.signal)).toMatchObject({ generation: 4, weights: BLUE });
    });

    test("disarm ends the armed state of that deployment alone", async () => {
      await apply(change(1, 1, BLUE));
      await apply(shift(1, 2));
      await driver.disarm(SERVICE, "other", context(1));
      expect((await observe()).armed).not.toBeNull();
      await driver.disarm(SERVICE, "d1", context(1));
      expect((await observe()).armed).toBeNull();
      expect(await driver.revert(SERVICE, "d1", over.signal)).toBeNull();
      expect(await harness.request()).toBe("green");
    });

    test("remove ends the traffic, under no lower fence than the live one", async () => {
      await apply(change(3, 1, BLUE));
      await expect(driver.remove(SERVICE, context(2))).rejects.toMatchObject({ code: "fenced" });
      expect(await harness.request()).toBe("blue");
      await driver.remove(SERVICE, context(3));
      expect(await harness.request()).toBeNull();
      await driver.remove(SERVICE, context(3));
    });

    test("what was on its way when the service was removed does not bring it back; what is newer does", async () => {
      await apply(change(1, 1, BLUE));
      await apply(shift(1, 2));
      await driver.revert(SERVICE, "d1", over.signal);
      await driver.remove(SERVICE, context(2));
      await expect(apply(change(1, 9, BLUE))).rejects.toMatchObject({ code: "fenced" });
      await expect(apply(shift(3, 9))).rejects.toMatchObject({ code: "latched" });
      expect(await harness.request()).toBeNull();
      await apply(change(3, 9, BLUE));
      expect(await harness.request()).toBe("blue");
    });

    test("receipts become final, and are told", async () => {
      const told: TrafficNotice[] = [];
      driver.notices((notice) => told.push(notice), over.signal);
      await apply(change(1, 1, BLUE));
      await apply(change(1, 2, GREEN));
      const finals = (): number[] =>
        told.flatMap((notice) =>
          notice.kind === "receipt" && notice.receipt.final ? [notice.receipt.generation] : [],
        );
      await expect.poll(finals, PATIENCE).toContain(2);
    });

    test("counters grow with each request, by environment, until the listener's signal aborts", async () => {
      const watching = new AbortController();
      let last: TrafficSample | null = null;
      let heard = 0;
      driver.watch((sample) => {
        last = sample;
        heard += 1;
      }, watching.signal);
      await apply(change(1, 1, BLUE));
      for (let n = 0; n < 5; n += 1) await harness.request();
      const requests = (): number | undefined => last?.environments["blue"]?.requests;
      await expect.poll(requests, PATIENCE).toBe(5);
      expect(last).toMatchObject({
        service: SERVICE,
        environments: { blue: { failures: 0, classes: [0, 5, 0, 0, 0] } },
      });
      watching.abort();
      const before = heard;
      await harness.request();
      await observe();
      expect(heard).toBe(before);
    });

    const hasMaintenance = lacks.maintenance === undefined;
    const maintain = async (
      revision: number,
      mode: MaintenanceOrder["mode"],
      more: Partial<MaintenanceOrder> = {},
      fence = 1,
    ): Promise<void> => {
      const plain = { until: null, endsIn: "off" as const, page: null, status: 503, retryAfterMs: 60_000, allow: [] };
      const order = { mode, ...plain, deadlineMs: 20_000, most: 100, ...more };
      await driver.maintain?.({ service: SERVICE, fence, revision, order, close: false }, context(fence));
    };

    test("a driver either has maintenance or says why not", () => {
      expect(driver.maintain !== undefined).toBe(hasMaintenance);
    });

    test.runIf(hasMaintenance)("maintenance answers instead of the app, until it is switched off", async () => {
      await apply(change(1, 1, BLUE));
      expect((await observe()).maintenance).toBe("off");
      await maintain(1, "on");
      expect((await observe()).maintenance).toBe("on");
      expect(await harness.request()).toBeNull();
      // The same again is harmless, and a split goes on beside it.
      await maintain(1, "on");
      await apply(change(1, 2, GREEN));
      expect((await observe()).split?.weights).toEqual(GREEN);
      expect(await harness.request()).toBeNull();
      await maintain(2, "off");
      expect(await harness.request()).toBe("green");
    });

    test.runIf(hasMaintenance)("a hold lets requests wait, and nothing is lost when it ends", async () => {
      await apply(change(1, 1, BLUE));
      await maintain(1, "hold");
      const waiting = harness.request();
      expect((await observe()).maintenance).toBe("hold");
      await apply(change(1, 2, GREEN));
      await maintain(2, "off");
      expect(await waiting).toBe("green");
    });

    test.runIf(hasMaintenance)("a hold that nobody lifts ends by itself", async () => {
      await apply(change(1, 1, BLUE));
      await maintain(1, "hold", { until: Date.now() + 300 });
      expect(await harness.request()).toBe("blue");
      await expect.poll(async () => (await observe()).maintenance, PATIENCE).toBe("off");
    });

    test.runIf(hasMaintenance)("an older order of maintenance, or one of a lower fence, is fenced", async () => {
      await apply(change(2, 1, BLUE));
      await expect(maintain(9, "on")).rejects.toMatchObject({ code: "fenced" });
      await maintain(2, "on", {}, 2);
      await expect(maintain(1, "off", {}, 2)).rejects.toMatchObject({ code: "fenced" });
      expect((await observe()).maintenance).toBe("on");
      await maintain(1, "off", {}, 3);
      expect((await observe()).maintenance).toBe("off");
    });

    const tells = lacks.told === undefined;
    /** What was told, once it is seen to be what an observation finds after it. */
    const told = async (): Promise<ToldObservation | null> => {
      const before = driver.told?.(SERVICE) ?? null;
      const { instances, ...rest } = await observe();
      const healths = instances.map(({ id, environment, healthy }) => ({ id, environment, healthy }));
      expect(before).toEqual({ ...rest, instances: healths });
      return before;
    };

    test("a driver either has a data plane that tells or says why not", () => {
      expect(driver.told !== undefined).toBe(tells);
    });

    test.runIf(tells)("once it was asked, every act has told what it changed when it returns", async () => {
      expect(driver.told?.(SERVICE)).toBeNull();
      await observe();
      expect(await told()).toMatchObject({ split: null });
      await apply(change(1, 1, BLUE));
      expect(await told()).toMatchObject({ split: { generation: 1, weights: BLUE }, armed: null });
      await apply(shift(1, 2));
      expect(await told()).toMatchObject({ split: { weights: GREEN }, armed: { deployment: "d1" } });
      await driver.revert(SERVICE, "d1", over.signal);
      expect(await told()).toMatchObject({ split: { weights: BLUE }, armed: null, latched: [{ deployment: "d1" }] });
      await apply({ ...shift(2, 4), deployment: "d2" });
      await driver.disarm(SERVICE, "d2", context(2));
      expect(await told()).toMatchObject({ split: { weights: GREEN }, armed: null });
      await driver.remove(SERVICE, context(2));
      expect(await told()).toMatchObject({ split: { weights: {} }, instances: [] });
    });

    test.runIf(tells)("changes of health are told", async () => {
      await apply(change(1, 1, BLUE));
      await observe();
      const healthy = (): boolean | undefined =>
        driver.told?.(SERVICE)?.instances.find(({ environment }) => environment === "blue")?.healthy;
      for (const is of [false, true]) {
        harness.setHealth("blue", is);
        await expect.poll(healthy, PATIENCE).toBe(is);
        await told();
      }
    });

    test.runIf(tells && hasMaintenance)("changes of maintenance are told, also the end of a hold", async () => {
      await apply(change(1, 1, BLUE));
      await observe();
      await maintain(1, "on");
      expect(await told()).toMatchObject({ maintenance: "on" });
      await maintain(2, "hold", { until: Date.now() + 300 });
      await expect.poll(() => driver.told?.(SERVICE)?.maintenance, PATIENCE).toBe("off");
      await told();
    });

    test("an aborted act is not done", async () => {
      const aborted = { ...context(1), signal: AbortSignal.abort(new Error("enough")) };
      await expect(driver.apply(change(1, 1, BLUE), aborted)).rejects.toThrow("enough");
      expect((await observe()).split).toBeNull();
    });
  });
}
