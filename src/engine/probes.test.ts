import { describe, expect, test } from "vitest";
import type { NewEvent } from "../model/event.ts";
import type { DeploySpec } from "../model/service.ts";
import type { CheckResult } from "../ports/validation.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const PASSED: CheckResult = { passed: true, summary: "passed", tookMs: 5 };
const FAILED: CheckResult = { passed: false, summary: "GET / answered 500, expected 200", tookMs: 5 };
const CHECK = { path: "/deep", status: 200, body: null, withinMs: null };
const ASKER = { by: "tester", reason: null, idempotencyKey: null };

/** v1 is active; v2's instances answer probes as `answer` says, v1's always pass. */
async function rig(answer: () => Promise<CheckResult>, deploy: Partial<DeploySpec> = {}) {
  const disk = new FaultyStore();
  const made = new Rig(disk.store);
  const guardrails = { ...quickSpec.deploy.guardrails, minRequests: 1 };
  const probes = { checks: [CHECK], everyMs: 100, timeoutMs: 1_000 };
  made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, guardrails, probes, bakeMs: 1_000, ...deploy } };
  await made.engine.start({});
  await made.deployed("v1");
  const asked: { url: string; deployment: string }[] = [];
  made.probe = async (url, check, { deployment }) => {
    expect(check).toEqual(CHECK);
    asked.push({ url, deployment });
    const { instances } = await made.environments.observe("web", "green");
    return instances.some(({ address }) => url === `http://${String(address)}`) ? answer() : PASSED;
  };
  return { made, disk, asked };
}

const messages = (made: Rig, type: string): string[] =>
  made.events.filter((event) => event.type === type).map(({ data }) => String(data["message"]));

describe("probes", () => {
  test("promote a release that no user has asked, and say that it rests on them", async () => {
    const { made, asked } = await rig(() => Promise.resolve(PASSED), { advance: "both", maxWaitMs: 300_000 });
    const { id } = await made.deploy("v2");
    expect((await made.ended(id)).state).toBe("completed");
    expect(messages(made, "guardrail").join("\n")).toMatch(
      /green is shown to be not worse by probes, as users' requests are too few: \d{3} probes of green, 0 failed; \d{3} of blue, 0 failed/,
    );
    expect(messages(made, "step-progress").some((message) => /^\d+ probes of green, 0 failed/.test(message))).toBe(
      true,
    );
    expect(new Set(asked.map(({ deployment }) => deployment))).toEqual(new Set([id]));
    expect(new Set(asked.map(({ url }) => url)).size).toBe(2);
  });

  test("are counted in the step's progress, and not in the log each time", async () => {
    const { made, disk } = await rig(() => Promise.resolve(PASSED), { shift: [{ weight: 10, forMs: 240_000 }] });
    const { id } = await made.deploy("v2");
    await made.atStep(id, "bake");
    // 2,400 probes: 1, 2, 4, … and at the end.
    const told = made.events.filter(({ step, data }) => step === "shift-10" && data["probes"] !== undefined);
    expect(told.length).toBeGreaterThan(3);
    expect(told.length).toBeLessThan(14);
    const rows = await disk.store.steps(id);
    expect(rows.find((row) => row.id === "shift-10")?.progress["message"]).toMatch(
      /^2,[34]\d\d probes of green, 0 failed/,
    );
  });

  test("are told all the same where the disk refused it the first time", async () => {
    const { made, disk } = await rig(() => Promise.resolve(PASSED), { shift: [{ weight: 10, forMs: 240_000 }] });
    const refused: number[] = [];
    disk.before = (_method, [change]) => {
      const { events = [] } = (change ?? {}) as { events?: readonly NewEvent[] };
      const probes = events.flatMap(({ data }) => (typeof data["probes"] === "number" ? [data["probes"]] : []));
      disk.refusing = refused.length === 0 && probes.some((count) => count >= 100);
      if (disk.refusing) refused.push(...probes);
    };
    const { id } = await made.deploy("v2");
    await made.atStep(id, "bake");
    const told = made.events.flatMap(({ data }) => (typeof data["probes"] === "number" ? [data["probes"]] : []));
    const [first = Infinity] = told.filter((count) => count >= 100);
    expect(refused).toHaveLength(1);
    expect(first).toBeLessThan(1.5 * Number(refused[0]));
  });

  test("take back a bad one, in words that say whose requests they were", async () => {
    const { made } = await rig(() => Promise.resolve(FAILED));
    const { state, cause } = await made.ended((await made.deploy("v2")).id);
    expect({ state, cause }).toMatchObject({ state: "rolled-back", cause: { code: "guardrail-breached" } });
    expect(cause).toMatchObject({ message: expect.stringMatching(/^by probes: green fails 100 %/) as string });
    expect(made.events.find(({ type }) => type === "guardrail")?.data).toMatchObject({ source: "probes" });
  });

  test("go on where they were when the server is started again", async () => {
    let asked = 0;
    const shift = [{ weight: 10, forMs: 600_000 }];
    const { made, disk } = await rig(() => Promise.resolve(++asked % 50 === 0 ? FAILED : PASSED), { shift });
    const { id } = await made.deploy("v2");
    const stored = () =>
      made.until("they are stored", async () => {
        const [row] = (await disk.store.steps(id)).filter(({ progress }) => progress["probes"] !== undefined);
        const { total } = (
          (row?.progress["probes"] ?? {}) as { window?: { total: Record<string, { requests: number }> } }
        ).window ?? { total: {} };
        return (total["green"]?.requests ?? 0) >= 100 ? total["green"]?.requests : null;
      });
    const before = await stored();
    const seen = made.events.length;
    await made.restart();
    const told = await made.until("it is told how far they are", () =>
      made.events.slice(seen).find(({ data }) => data["probes"] !== undefined),
    );
    expect(Number(told.data["probes"])).toBeGreaterThanOrEqual(before);
    expect(String(told.data["message"])).toMatch(/ of green, [1-9]\d* failed; \d{3} of blue, 0 failed/);
    await made.engine.control.abort(id, ASKER, AbortSignal.timeout(5_000));
    expect((await made.ended(id)).state).toBe("aborted");
  });

  test("that get no answer delay no abort, and no more than four are under way to one side", async () => {
    let underWay = 0;
    const { made } = await rig(
      () => {
        underWay += 1;
        return new Promise(() => undefined);
      },
      { shift: [{ weight: 10, forMs: 600_000 }] },
    );
    const { id } = await made.deploy("v2");
    await made.until("they hang", () => underWay >= 4);
    const began = made.clock.monotonic();
    await made.until("a while has passed", () => made.clock.monotonic() - began > 3_000);
    expect(underWay).toBe(4);
    const asked = made.clock.monotonic();
    await made.engine.control.abort(id, ASKER, AbortSignal.timeout(5_000));
    expect(await made.weights()).toEqual({ blue: 100, green: 0 });
    expect(made.clock.monotonic() - asked).toBeLessThan(100);
    expect((await made.ended(id)).state).toBe("aborted");
  });

  test("do not speak for a release that users' requests speak against", async () => {
    const { made } = await rig(() => Promise.resolve(PASSED), { advance: "both", maxWaitMs: 120_000 });
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-10");
    made.traffic.count("web", "green", { requests: 0, failures: 0 });
    await made.until("it is judged", () => {
      made.traffic.count("web", "green", { requests: 20, failures: 10 });
      return made.events.some(({ type }) => type === "split-reverted");
    });
    expect((await made.ended(id)).cause).toMatchObject({ message: expect.stringMatching(/^green fails/) as string });
  });
});
