import { describe, expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { FaultyStore } from "./testing/faulty-store.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const ASKER = { by: "tester", reason: null, idempotencyKey: null };
const soon = () => AbortSignal.timeout(5_000);

async function rig(): Promise<Rig> {
  const made = new Rig(directSqliteStore(":memory:"));
  await made.engine.start({});
  return made;
}

/** `type step` of the events of a deployment; states as `state: to`, retirements with their environment. */
function told(made: Rig, deployment: string): string[] {
  return made.events
    .filter((event) => event.deployment === deployment)
    .map(({ type, step, data }) => {
      if (type === "deployment-state") return `state: ${String(data["to"])}`;
      const about = type.startsWith("retirement-") ? String(data["environment"]) : step;
      return about === null ? type : `${type} ${about}`;
    });
}

describe("the events of one transition come as it happened", () => {
  test("what the last shift did, its end, the bake's state, the bake's begin", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deployed("v2");
    const lines = told(made, id);
    expect(lines.slice(0, 3)).toEqual(["deployment-accepted", "state: running", "step-started preflight"]);
    const last = lines.indexOf("step-started shift-100");
    expect(lines.slice(last + 1, last + 6)).toEqual([
      "split-applied shift-100",
      "receipt shift-100",
      "step-completed shift-100",
      "state: baking",
      "step-started bake",
    ]);
    expect(lines.slice(-3)).toEqual(["step-completed bake", "retirement-scheduled blue", "state: completed"]);
  });

  test("why it is frozen, then that it is", async () => {
    const made = await rig();
    await made.deployed("v1");
    const { id } = await made.deploy("v2");
    await made.atStep(id, "bake");
    made.traffic.unhealthy.add("web/blue/v1/0");
    await made.engine.control.abort(id, ASKER, soon());
    await made.until("frozen", () => told(made, id).includes("state: frozen"));
    const lines = told(made, id);
    expect(lines[lines.indexOf("state: frozen") - 1]).toBe("warning");
    await made.engine.control.abort(id, ASKER, soon());
    await made.ended(id);
  });
});

test("who follows the events is told of an acceptance at once, also when the disk then takes nothing more", async () => {
  const disk = new FaultyStore();
  const made = new Rig(disk.store);
  await made.engine.start({});
  const stop = new AbortController();
  const { control } = made.engine;
  const seen = control.events(await control.lastSeq(), true, stop.signal);
  const first = seen[Symbol.asyncIterator]().next();
  // Nothing that comes after the acceptance is written, and so nothing else can wake who waits.
  disk.before = (method) => {
    if (method === "transition") disk.refusing = true;
  };
  const { id } = await made.deploy("v1");
  expect(await first).toMatchObject({ value: { type: "deployment-accepted", deployment: id } });
  stop.abort();
});

describe("a retirement that is cancelled is told", () => {
  test("by a deploy that needs the place before its time", async () => {
    const made = await rig();
    for (const version of ["v1", "v2"]) await made.deployed(version);
    const { id } = await made.deployed("v3");
    const lines = told(made, id);
    expect(lines.filter((line) => line.startsWith("retirement-"))).toEqual([
      "retirement-cancelled blue",
      "retirement-scheduled green",
    ]);
    const done = lines.findIndex((line) => line.startsWith("step-completed retire"));
    expect(lines[done - 2]).toBe("retirement-cancelled blue");
  });

  test("by a switch to the environment that was to be retired", async () => {
    const made = await rig();
    for (const version of ["v1", "v2"]) await made.deployed(version);
    const { deployment } = await made.engine.control.switch("web", { ...ASKER, to: "blue", force: false }, soon());
    await made.ended(deployment.id);
    expect(told(made, deployment.id).filter((line) => line.startsWith("retirement-"))).toEqual([
      "retirement-cancelled blue",
      "retirement-scheduled green",
    ]);
  });

  test("not by the retirement itself, when its time has come", async () => {
    const made = await rig();
    made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, keepStandbyMs: 5_000 } };
    for (const version of ["v1", "v2"]) await made.deployed(version);
    await made.until("blue is retired", () => made.events.some(({ type }) => type === "environment"));
    expect(made.events.filter(({ type }) => type === "retirement-cancelled")).toEqual([]);
  });
});
