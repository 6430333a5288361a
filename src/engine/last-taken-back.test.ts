import { expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { Rig } from "./testing/rig.ts";

const soon = () => AbortSignal.timeout(5_000);
const ASKER = { by: "ann", reason: null, idempotencyKey: null };

async function withTwo(): Promise<Rig> {
  const made = new Rig(directSqliteStore(":memory:"));
  await made.engine.start({});
  for (const version of ["v1", "v2"]) await made.deployed(version);
  return made;
}

const planned = (made: Rig) => made.engine.control.plan({ goal: "rollback", service: "web" }, soon());

test("the plan of a rollback names its releases, and notes nothing after a deployment that was completed", async () => {
  const made = await withTwo();
  const { releases, warnings } = await planned(made);
  expect(releases).toEqual({ from: "v2", to: "v1" });
  expect(warnings.join()).not.toContain("taken back");
});

test("after one that was taken back by itself it says so, and where this goes from; with its day on another one", async () => {
  const made = await withTwo();
  made.validation = () => Promise.resolve({ passed: true, summary: "ok", tookMs: 1 });
  const { id } = await made.deploy("v3");
  await made.until("10 %", async () => (await made.weights())["blue"] === 10);
  const ended = await made.until("it is rolled back", async () => {
    made.traffic.count("web", "blue", { requests: 200, failures: 200 });
    const [newest] = await made.engine.control.history("web", 1);
    return newest?.id === id && newest.state === "rolled-back" && newest;
  });
  const [day = "", time = ""] = new Date(ended.endedAt ?? 0).toISOString().split("T");
  const at = `at ${time.slice(0, 5)} UTC`;
  expect((await planned(made)).warnings[0]).toBe(`v3 was taken back by itself ${at}; this goes from v2 to v1.`);
  made.clock.advance(24 * 3_600_000);
  expect((await planned(made)).warnings[0]).toContain(`by itself on ${day} ${at}`);
});

test("after an abort it says by whom, and a rollback that was made leaves no note", async () => {
  const made = await withTwo();
  const { id } = await made.deploy("v3");
  await made.until("10 %", async () => (await made.weights())["blue"] === 10);
  await made.engine.control.abort(id, ASKER, soon());
  await made.ended(id);
  expect((await planned(made)).warnings[0]).toMatch(/^v3 was taken back by ann at/);
  const back = made.engine.control.rollback("web", ASKER, soon());
  let done = false;
  void back.then(() => (done = true));
  await made.until("it is rolled back", () => done);
  const { warnings, releases } = await planned(made);
  expect(releases).toEqual({ from: "v1", to: "v2" });
  expect(warnings.join()).not.toContain("taken back");
});
