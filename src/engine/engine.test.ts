import { describe, expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

async function rig(): Promise<Rig> {
  const made = new Rig(directSqliteStore(":memory:"));
  await made.engine.start({});
  return made;
}

async function status(made: Rig) {
  return made.engine.control.serviceStatus("web", AbortSignal.timeout(5_000));
}

const ASKER = { by: "tester", reason: "a test", idempotencyKey: null };
const soon = () => AbortSignal.timeout(5_000);

describe("deploy", () => {
  test("the first release goes straight to 100 % of blue", async () => {
    const made = await rig();
    const deployment = await made.deployed("v1");
    expect(deployment).toMatchObject({ state: "completed", from: null, to: "blue", version: "v1" });
    expect(await made.weights()).toEqual({ blue: 100 });
    expect(await status(made)).toMatchObject({
      active: "blue",
      standby: "green",
      deployment: null,
      rollback: { safe: "unsafe" },
    });
  });

  test("the second goes through 10, 50 and 100 % of green, and leaves blue warm", async () => {
    const made = await rig();
    await made.deployed("v1");
    const deployment = await made.deployed("v2");
    expect(deployment.state).toBe("completed");
    const shifts = made.traffic.applied
      .filter((change) => change.deployment === deployment.id)
      .map(({ weights }) => weights["green"]);
    expect([...new Set(shifts)]).toEqual([10, 50, 100]);
    expect(await status(made)).toMatchObject({
      active: "green",
      standby: "blue",
      traffic: { blue: 0, green: 100 },
      rollback: { safe: "safe", seconds: 1 },
      retirement: { environment: "blue" },
    });
  });

  test("is armed from its first shift, and disarmed when done", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-10");
    await made.until("10 %", async () => (await made.weights())["green"] === 10);
    expect((await made.traffic.observe("web")).armed).toEqual({ deployment: id, revertTo: { blue: 100, green: 0 } });
    await made.ended(id);
    await made.until("disarmed", async () => (await made.traffic.observe("web")).armed === null);
  });

  test("the third replaces the oldest, and v2 is what a rollback goes to", async () => {
    const made = await rig();
    for (const version of ["v1", "v2", "v3"]) expect((await made.deployed(version)).state).toBe("completed");
    const seen = await status(made);
    expect(seen.active).toBe("blue");
    expect(seen.environments.map(({ name, version }) => [name, version])).toEqual([
      ["blue", "v3"],
      ["green", "v2"],
    ]);
  });

  test("a second one during the first is refused, and one with the same key is the same", async () => {
    const made = await rig();
    const first = await made.deploy("v1", { key: "one" });
    await expect(made.deploy("v2")).rejects.toMatchObject({ code: "deployment-running" });
    expect((await made.deploy("v1", { key: "one" })).id).toBe(first.id);
    await made.ended(first.id);
    expect((await made.deploy("v1", { key: "one" })).id).toBe(first.id);
  });

  test("--supersede takes a shift back, and ends a bake as passed", async () => {
    const made = await rig();
    await made.deployed("v1");
    const shifting = await made.deploy("v2");
    await made.atStep(shifting.id, "shift-10");
    const [baking] = await Promise.all([made.deploy("v3", { supersede: true }), made.ended(shifting.id)]);
    expect((await made.engine.control.deployment(shifting.id)).deployment.state).toBe("aborted");
    await made.atStep(baking.id, "bake");
    const [last] = await Promise.all([made.deploy("v4", { supersede: true }), made.ended(baking.id)]);
    expect((await made.engine.control.deployment(baking.id)).deployment.state).toBe("completed");
    expect((await made.ended(last.id)).state).toBe("completed");
    expect((await status(made)).environments.map(({ version }) => version)).toEqual(["v4", "v3"]);
  });

  test("the same version with another configuration is another release", async () => {
    const made = await rig();
    await made.deployed("v1");
    made.spec = { ...quickSpec, environment: { ...quickSpec.environment, count: 3 } };
    expect((await made.deployed("v1")).release).toBe("v1+1");
    made.spec = quickSpec;
    expect((await made.deployed("v1")).release).toBe("v1");
  });

  test("settings that this version does not act on are refused, not passed over", async () => {
    const made = await rig();
    made.spec = { ...quickSpec, database: { url: "postgres://db", expand: "migrate", contract: null } };
    await expect(made.deploy("v1")).rejects.toMatchObject({ code: "unsupported" });
  });
});

describe("settings that differ between two releases", () => {
  const withPath = (path: string) => ({
    ...quickSpec,
    health: { ...quickSpec.health, path },
    deploy: { ...quickSpec.deploy, keepStandbyMs: 5_000 },
  });

  test("each environment is checked by its own release's rule, and the active one's settings hold for the service", async () => {
    const made = await rig();
    made.spec = withPath("/old");
    await made.deployed("v1");
    made.spec = withPath("/new");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-50");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    const live = made.traffic.applied.at(-1);
    expect(live?.backends.map(({ environment, health }) => [environment, health?.path])).toEqual([
      ["blue", "/old"],
      ["green", "/new"],
    ]);
    const before = made.traffic.applied.filter(({ weights }) => weights["blue"] === 100).at(-1);
    expect(before?.health.path).toBe("/old");
    await made.ended(id);
  });

  test("the retirement of the old release does not bring its settings back", async () => {
    const made = await rig();
    made.spec = withPath("/old");
    await made.deployed("v1");
    made.spec = withPath("/new");
    await made.deployed("v2");
    const before = made.traffic.applied.length;
    await made.until("blue is retired", async () =>
      (await status(made)).environments.some(({ name, version }) => name === "blue" && version === null),
    );
    const since = made.traffic.applied.slice(before);
    expect(since.length).toBeGreaterThan(0);
    expect(since.map(({ health }) => health.path)).toEqual(since.map(() => "/new"));
  });
});

describe("a release that misbehaves", () => {
  test("that never becomes healthy fails at its deadline, and traffic never moved", async () => {
    const made = await rig();
    await made.deployed("v1");
    made.environments.behaviour.set("v2", "starting");
    const deployment = await made.deployed("v2");
    expect(deployment).toMatchObject({ state: "failed", cause: { kind: "failure", code: "not-healthy" } });
    expect(await made.weights()).toMatchObject({ blue: 100 });
    expect(made.environments.stopped).toContain("green");
  });

  test("in a crash loop fails at once", async () => {
    const made = await rig();
    await made.deployed("v1");
    made.environments.behaviour.set("v2", "crash-loop");
    expect(await made.deployed("v2")).toMatchObject({ state: "failed", cause: { code: "crash-loop" } });
  });

  test("whose command is not found fails with that code", async () => {
    const made = await rig();
    made.environments.behaviour.set("v1", new TealError("command-not-found", "no such command: nope"));
    expect(await made.deployed("v1")).toMatchObject({ state: "failed", cause: { code: "command-not-found" } });
    expect((await status(made)).active).toBeNull();
  });

  test("whose validation fails is never shifted to", async () => {
    const made = await rig();
    await made.deployed("v1");
    made.validation = () => Promise.resolve({ passed: false, summary: "GET / answered 500, expected 200", tookMs: 1 });
    const deployment = await made.deployed("v2");
    expect(deployment).toMatchObject({ state: "failed", touchedTraffic: false, cause: { code: "validation-failed" } });
    expect(deployment.cause).toMatchObject({ message: "GET / answered 500, expected 200" });
  });

  test("that fails a fifth of its requests is rolled back, and its instances are stopped", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-10");
    await made.until("10 %", async () => (await made.weights())["green"] === 10);
    made.traffic.count("web", "green", { requests: 0, failures: 0 });
    await made.until("the window has begun", () => {
      made.traffic.count("web", "green", { requests: 20, failures: 4 });
      return made.events.some(({ type }) => type === "guardrail");
    });
    expect(await made.ended(id)).toMatchObject({
      state: "rolled-back",
      cause: { kind: "verdict", code: "guardrail-breached" },
    });
    expect(await made.weights()).toEqual({ blue: 100, green: 0 });
    expect(await status(made)).toMatchObject({ active: "blue", standby: "green" });
    expect(made.environments.stopped).toContain("green");
  });

  test("that fails while baking is rolled back too", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "bake");
    await made.until("a verdict", () => {
      made.traffic.count("web", "green", { requests: 100, failures: 20 });
      return made.events.some(({ type }) => type === "split-reverted");
    });
    expect((await made.ended(id)).state).toBe("rolled-back");
    expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
  });

  test("whose instances keep ending by themselves is rolled back", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-50");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    made.environments.become("web", "green", { restarts: 2, state: "starting", reason: "exited with code 1" });
    expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "crash-loop" } });
  });
});

describe("abort", () => {
  const STEPS = ["preflight", "provision", "start", "healthy", "validate", "shift-10", "shift-50", "bake"];

  test.each(STEPS)("at %s: the traffic is back when the call returns, and the service is free", async (step) => {
    const made = await rig();
    await made.deployed("v1");
    if (step === "healthy") made.environments.behaviour.set("v2", "starting");
    if (step === "validate") made.validation = () => new Promise(() => undefined);
    const { id } = await made.deploy("v2");
    const slow = ["healthy", "validate", "shift-10", "shift-50", "bake"].includes(step);
    if (slow) await made.atStep(id, step);
    if (step.startsWith("shift-"))
      await made.until("the shift", async () => (await made.weights())["green"] === Number(step.slice(6)));
    const aborted = await made.engine.control.abort(id, ASKER, soon());
    expect(aborted.cause).toMatchObject({ kind: "abort", by: "tester" });
    expect(await made.weights()).toMatchObject({ blue: 100 });
    expect((await made.ended(id)).state).toBe("aborted");
    expect(await status(made)).toMatchObject({ active: "blue", deployment: null });
    made.validation = () => Promise.resolve({ passed: true, summary: "passed", tookMs: 1 });
    made.environments.behaviour.clear();
    expect((await made.deployed("v3")).state).toBe("completed");
  });

  test("an apply that comes late, after the grace, is refused by the data plane", async () => {
    const made = await rig();
    await made.deployed("v1");
    const gate = Promise.withResolvers<void>();
    made.traffic.beforeApply = (change) => (change.weights["green"] === 10 ? gate.promise : Promise.resolve());
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-10");
    await made.engine.control.abort(id, ASKER, soon());
    expect((await made.ended(id)).state).toBe("aborted");
    gate.resolve();
    await made.until("quiet", () => true);
    expect(await made.weights()).toMatchObject({ blue: 100 });
  });

  test("of one that has ended is refused, and so is one that never was", async () => {
    const made = await rig();
    const { id } = await made.deployed("v1");
    await expect(made.engine.control.abort(id, ASKER, soon())).rejects.toMatchObject({ code: "deployment-ended" });
    await expect(made.engine.control.abort("dep_none", ASKER, soon())).rejects.toMatchObject({
      code: "deployment-unknown",
    });
  });
});

describe("switch and rollback", () => {
  test("by hand, there and back", async () => {
    const made = await rig();
    await made.deployed("v1");
    await made.deployed("v2");
    const there = await made.engine.control.switch("web", { ...ASKER, to: "blue", force: false }, soon());
    expect(there.deployment.state).toBe("completed");
    expect(there.receipt).toMatchObject({ from: { green: 100 }, to: { blue: 100, green: 0 } });
    expect(await status(made)).toMatchObject({
      active: "blue",
      standby: "green",
      retirement: { environment: "green" },
    });
    const back = await made.engine.control.rollback("web", ASKER, soon());
    expect(back.deployment).toMatchObject({ goal: "rollback", state: "completed", to: "green" });
    expect(await made.weights()).toEqual({ green: 100, blue: 0 });
  });

  test("refuse what cannot be", async () => {
    const made = await rig();
    const asked = (to: string) => made.engine.control.switch("web", { ...ASKER, to, force: false }, soon());
    await expect(made.engine.control.rollback("web", ASKER, soon())).rejects.toMatchObject({
      code: "nothing-to-roll-back-to",
    });
    await made.deployed("v1");
    await expect(asked("blue")).rejects.toMatchObject({ code: "already-active" });
    await expect(asked("green")).rejects.toMatchObject({ code: "no-release" });
    await expect(asked("purple")).rejects.toMatchObject({ code: "environment-unknown" });
    await expect(made.engine.control.rollback("web", ASKER, soon())).rejects.toMatchObject({
      code: "nothing-to-roll-back-to",
    });
  });

  test("an environment without a healthy instance gets no traffic, unless a person forces it", async () => {
    const made = await rig();
    await made.deployed("v1");
    await made.deployed("v2");
    made.traffic.unhealthy.add("web/blue/v1/0");
    await expect(
      made.engine.control.switch("web", { ...ASKER, to: "blue", force: false }, soon()),
    ).rejects.toMatchObject({
      code: "unhealthy",
    });
    await made.until("free", async () => (await status(made)).deployment === null);
    const forced = await made.engine.control.switch("web", { ...ASKER, to: "blue", force: true }, soon());
    expect(forced.deployment.state).toBe("completed");
  });

  test("rollback during a deployment is its abort", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-10");
    expect((await made.engine.control.rollback("web", ASKER, soon())).deployment.id).toBe(id);
    expect((await made.ended(id)).state).toBe("aborted");
  });

  test("after the standby was retired, rollback starts the stored release again", async () => {
    const made = await rig();
    made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, keepStandbyMs: 5_000 } };
    await made.deployed("v1");
    await made.deployed("v2");
    await made.until("blue is retired", async () =>
      (await status(made)).environments.some(({ name, version }) => name === "blue" && version === null),
    );
    expect((await status(made)).rollback).toMatchObject({ safe: "safe" });
    const rolled = made.engine.control.rollback("web", ASKER, soon());
    const [{ deployment }] = await Promise.all([
      rolled,
      made.until("back", async () => (await made.weights())["blue"] === 100),
    ]);
    expect(deployment).toMatchObject({ state: "completed", version: "v1" });
  });
});

describe("the split", () => {
  test("that somebody else has changed stops a deployment as drift", async () => {
    const made = await rig();
    await made.deployed("v1");
    const [live] = made.traffic.applied.slice(-1);
    if (live === undefined) throw new Error("nothing was applied");
    const meddling = { ...live, generation: live.generation + 1, weights: { blue: 60, green: 40 }, deployment: null };
    await made.traffic.apply(meddling);
    expect(await made.deployed("v2")).toMatchObject({ state: "failed", cause: { code: "drift" } });
    expect(made.events.find(({ type }) => type === "drift")?.data).toEqual({
      expected: { blue: 100 },
      live: { blue: 60, green: 40 },
    });
  });

  test("reverted by the data plane itself takes the deployment back", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-50");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    made.traffic.loseController("web");
    expect(await made.ended(id)).toMatchObject({ state: "rolled-back", cause: { code: "controller-loss" } });
  });

  test("frozen: going back would be worse; it thaws when the old environment is well", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-50");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    made.traffic.unhealthy.add("web/blue/v1/0");
    await made.engine.control.abort(id, ASKER, soon());
    await made.until("frozen", async () => (await made.engine.control.deployment(id)).deployment.state === "frozen");
    expect(await made.weights()).toMatchObject({ green: 50 });
    made.traffic.unhealthy.clear();
    expect((await made.ended(id)).state).toBe("aborted");
    expect(await made.weights()).toMatchObject({ blue: 100, green: 0 });
  });

  test("frozen and given up: the traffic stays where it is", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "bake");
    made.traffic.unhealthy.add("web/blue/v1/0");
    await made.engine.control.abort(id, ASKER, soon());
    await made.until("frozen", async () => (await made.engine.control.deployment(id)).deployment.state === "frozen");
    await made.engine.control.abort(id, ASKER, soon());
    expect((await made.ended(id)).state).toBe("failed");
    expect(await status(made)).toMatchObject({ active: "green", traffic: { green: 100 } });
  });
});

describe("a new server", () => {
  const STEPS = ["healthy", "validate", "shift-10", "shift-50", "bake"];

  test.each(STEPS)("goes on at %s where the old one stood", async (step) => {
    const made = await rig();
    await made.deployed("v1");
    if (step === "healthy") made.environments.behaviour.set("v2", "starting");
    if (step === "validate") made.validation = () => new Promise(() => undefined);
    const { id } = await made.deploy("v2");
    await made.atStep(id, step);
    await made.restart();
    made.validation = () => Promise.resolve({ passed: true, summary: "passed", tookMs: 1 });
    if (step === "healthy") made.environments.become("web", "green", { state: "ready", reason: null });
    expect((await made.ended(id)).state).toBe("completed");
    expect(made.environments.started.filter((name) => name === "green/v2")).toHaveLength(1);
    expect(await made.weights()).toEqual({ blue: 0, green: 100 });
  });

  test("reads a revert back that the record does not know", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-50");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    await made.engine.stop();
    await made.traffic.revert("web", id);
    await made.restart();
    expect((await made.ended(id)).state).toBe("aborted");
    expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100 } });
  });

  test.each([
    [{ kind: "abort", by: "ann", reason: "wrong version" }, "aborted"],
    [{ kind: "verdict", code: "guardrail-breached", message: "too many errors" }, "rolled-back"],
  ] as const)("a revert that left its word at the data plane is recorded for it: %o", async (because, state) => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.until("50 %", async () => (await made.weights())["green"] === 50);
    await made.engine.stop();
    await made.traffic.revert("web", id, soon(), because);
    await made.restart();
    expect(await made.ended(id)).toMatchObject({ state, cause: because });
  });

  test("claims a higher fence, and finishes a rollback that was under way", async () => {
    const made = await rig();
    await made.deployed("v1");
    const before = (await status(made)).fence;
    const { id } = await made.deploy("v2");
    await made.atStep(id, "shift-50");
    await made.engine.control.abort(id, ASKER, soon());
    await made.restart();
    expect((await made.ended(id)).state).toBe("aborted");
    expect((await status(made)).fence).toBeGreaterThan(before);
    expect(made.environments.stopped).toContain("green");
  });
});
