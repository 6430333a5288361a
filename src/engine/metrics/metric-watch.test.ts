import { describe, expect, test } from "vitest";
import type { CustomGuardrail, MetricReading, Silence } from "../../model/metric.ts";
import type { DeploySpec } from "../../model/service.ts";
import { directSqliteStore } from "../../store/sqlite/direct.ts";
import { quickSpec, Rig } from "../testing/rig.ts";

const lag: CustomGuardrail = {
  name: "lag",
  source: {
    driver: "memory",
    settings: { bearer: { template: "${env:T}", hash: "" }, all: [{ name: "d", value: "$environment" }], n: 1 },
    perEnvironment: true,
  },
  counting: "gauge",
  direction: "above",
  percent: false,
  rollBack: { value: 30 },
  everyMs: 500,
  timeoutMs: 1_000,
  readings: 3,
};

async function shifting(
  custom: readonly CustomGuardrail[],
  deploy: Partial<DeploySpec> = {},
  prepare?: (made: Rig) => void,
) {
  const made = new Rig(directSqliteStore(":memory:"));
  const guardrails = { ...quickSpec.deploy.guardrails, minRequests: 1, custom };
  const shift = [{ weight: 10, forMs: 20_000 }];
  made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, shift, guardrails, ...deploy } };
  await made.engine.start({});
  await made.deployed("v1");
  made.metrics.says.set("blue", 1);
  made.metrics.says.set("green", 1);
  prepare?.(made);
  const { id } = await made.deploy("v2");
  await made.atStep(id, "shift-10");
  await made.until("10 %", async () => (await made.weights())["green"] === 10);
  return { made, id };
}

const silences = (made: Rig): readonly unknown[] =>
  made.events.filter(({ data }) => data["code"] === "metric-silent").map(({ data }) => data["message"]);

describe("a guardrail over a metric", () => {
  test("takes a release back that is beyond its limit, and asks with secrets resolved", async () => {
    const { made, id } = await shifting([lag]);
    made.metrics.says.set("green", 31);
    const { state, cause } = await made.ended(id);
    expect({ state, cause }).toMatchObject({
      state: "rolled-back",
      cause: {
        code: "guardrail-breached",
        message: "custom.lag of green is 31, of blue 1; the limit is 30; 3 readings in a row",
      },
    });
    expect(made.metrics.asked.at(-1)?.settings).toEqual({
      bearer: "resolved ${env:T}",
      all: [{ name: "d", value: "$environment" }],
      n: 1,
    });
    const names = made.metrics.asked.map(({ subject }) => `${subject.names.environment} ${subject.names.version}`);
    expect(new Set(names)).toEqual(new Set(["blue v1", "green v2"]));
  });

  test("holds a release that both environments speak against", async () => {
    const { made, id } = await shifting([lag], { shift: [{ weight: 10, forMs: 2_000 }] });
    for (const environment of ["blue", "green"]) made.metrics.says.set(environment, 31);
    await made.until("it holds", async () => {
      const { hold } = (await made.engine.control.serviceStatus("web", AbortSignal.timeout(5_000))).deployment ?? {};
      return hold?.kind === "guardrail" && hold.message.includes("common to both");
    });
    for (const environment of ["blue", "green"]) made.metrics.says.set(environment, 1);
    expect((await made.ended(id)).state).toBe("completed");
  });

  const losses: readonly (readonly [string, number | MetricReading, string])[] = [
    [
      "falls silent",
      { kind: "none", code: "unreachable", reason: "it is down" },
      "blue says nothing to compare with: it is down",
    ],
    ["reads 0", 0, "a multiple of that is no limit"],
  ];
  test.each(losses)(
    "ends its hold by a multiple when the active environment %s, and says why",
    async (_, says, why) => {
      const { rollBack: _none, ...rest } = lag;
      const twice = { ...rest, hold: { factor: 2 } };
      const { made, id } = await shifting([twice], { shift: [{ weight: 10, forMs: 2_000 }] });
      made.metrics.says.set("green", 31);
      await made.until("it holds", async () => {
        const { hold } = (await made.engine.control.serviceStatus("web", AbortSignal.timeout(5_000))).deployment ?? {};
        return hold?.kind === "guardrail" && hold.message.includes("3 readings in a row");
      });
      made.metrics.says.set("blue", says);
      expect((await made.ended(id)).state).toBe("completed");
      expect(silences(made)).toEqual([`custom.lag: no evidence: ${why}; until then nothing is compared with it`]);
      expect(made.events.find(({ data }) => data["code"] === "metric-silent")?.data).toMatchObject({
        why: "incomparable",
        remedy: expect.stringContaining("go on judging") as string,
      });
      expect(
        made.events.findLast(({ type, data }) => type === "guardrail" && data["rule"] === "custom.lag")?.data,
      ).toMatchObject({
        action: "none",
        message: expect.stringContaining(why) as string,
      });
    },
  );

  test("goes on from what was read before the server was started again", async () => {
    const { made, id } = await shifting([{ ...lag, readings: 40 }], { shift: [{ weight: 10, forMs: 60_000 }] });
    made.metrics.says.set("green", 31);
    const before = made.metrics.asked.length;
    await made.until("it is half way", () => made.metrics.asked.length - before > 50);
    await made.restart();
    const asked = made.metrics.asked.length;
    expect((await made.ended(id)).cause).toMatchObject({ code: "guardrail-breached" });
    // Two environments are asked each time: fewer than 40 readings came after the start.
    expect(made.metrics.asked.length - asked).toBeLessThan(60);
  });

  const mishaps: readonly (readonly [string, "hangs" | Error | MetricReading, string])[] = [
    ["hangs", "hangs", "it did not answer within 1000 ms"],
    ["fails", new Error("a bug"), "it cannot be asked: a bug"],
    ["says nothing", { kind: "none", code: "nothing", reason: "no series" }, "no series"],
    ["gives NaN", { kind: "value", value: Number.NaN, at: 5 }, "the source gives no number"],
  ];
  test.each(mishaps)("a source that %s is told once, delays no step, and hinders no abort", async (_, says, reason) => {
    const slow = { ...lag, name: "slow" };
    const { made, id } = await shifting([slow], {}, (rig) => rig.metrics.says.set("green", says));
    await made.until("it is told", () => silences(made).length > 0);
    expect(silences(made)).toEqual([`custom.slow: no evidence: ${reason}`]);
    const began = made.clock.now();
    await made.engine.control.abort(
      id,
      { by: "tester", reason: null, idempotencyKey: null },
      AbortSignal.timeout(5_000),
    );
    expect(await made.weights()).toMatchObject({ blue: 100, green: 0 });
    expect(made.clock.now() - began).toBeLessThan(1_000);
    expect((await made.ended(id)).state).toBe("aborted");
  });

  test("that says something else each time is told once for each kind of silence", async () => {
    const { made } = await shifting([lag]);
    const before = made.metrics.asked.length;
    let said = 0;
    const complain = (code: Silence) => (): boolean => {
      said += 1;
      made.metrics.says.set("green", { kind: "none", code, reason: `request ${String(said)} failed` });
      return made.metrics.asked.length - before > 20;
    };
    await made.until("it was asked often", complain("unreachable"));
    expect(silences(made)).toHaveLength(1);
    await made.until("another kind is told", () => complain("refused")() && silences(made).length > 1);
    await made.until(
      "it was asked more often",
      () => complain("unreachable")() && made.metrics.asked.length - before > 60,
    );
    expect(silences(made)).toHaveLength(2);
    expect(made.events.flatMap(({ data }) => (data["code"] === "metric-silent" ? [data["why"]] : []))).toEqual([
      "unreachable",
      "refused",
    ]);
  });

  test("without evidence ends its step by time, and says so", async () => {
    const { made, id } = await shifting([lag], { shift: [{ weight: 10, forMs: 3_000 }] }, (rig) =>
      rig.metrics.says.set("green", "hangs"),
    );
    expect((await made.ended(id)).state).toBe("completed");
    expect(made.events.filter(({ type, data }) => type === "guardrail" && data["rule"] === "custom.lag")).not.toEqual(
      [],
    );
  });

  test("without evidence holds back a step that waits for evidence, and no longer than that may take", async () => {
    const deploy = { advance: "both", maxWaitMs: 5_000, shift: [{ weight: 10, forMs: 1_000 }] } as const;
    const { made, id } = await shifting([lag], deploy, (rig) => rig.metrics.says.set("green", "hangs"));
    made.traffic.count("web", "green", { requests: 0, failures: 0 });
    made.traffic.count("web", "green", { requests: 2_000, failures: 0 });
    expect((await made.ended(id)).cause).toMatchObject({ code: "evidence-lacking" });
  });

  test("one that hangs does not delay another", async () => {
    const both = [lag, { ...lag, name: "dead", source: { ...lag.source, driver: "gone" } }];
    const { made, id } = await shifting(both);
    expect(silences(made)).toContain(
      "custom.dead: no evidence: this version of Teal has no source gone (asked of blue)",
    );
    made.metrics.says.set("green", 31);
    expect((await made.ended(id)).cause).toMatchObject({ code: "guardrail-breached" });
  });
});

test("the plan names what is read, and a source that is silent is told before the first request goes over", async () => {
  const { made, id } = await shifting([lag], {}, (rig) => rig.metrics.says.set("blue", "hangs"));
  expect(silences(made)[0]).toBe("custom.lag: no evidence: it did not answer within 1000 ms (asked of blue)");
  const asked = { goal: "deploy", service: "web", version: "v3", variables: {} } as const;
  const { reads } = await made.engine.control.plan(asked, AbortSignal.timeout(5_000));
  expect(reads).toEqual(["custom.lag: numbers in memory, every 0.5 s"]);
  await made.engine.control.abort(id, { by: "tester", reason: null, idempotencyKey: null }, AbortSignal.timeout(5_000));
});
