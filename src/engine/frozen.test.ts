import { expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { Rig } from "./testing/rig.ts";

const ASKER = { by: "ann", reason: "a test", idempotencyKey: null };
const soon = () => AbortSignal.timeout(5_000);
const BLUE = "web/blue/v1/0";
const GREEN = "web/green/v2/0";

/** v1 on blue, v2 with half of the traffic; what is named has become sick since. */
async function shifting(...sick: readonly string[]): Promise<{ made: Rig; id: string }> {
  const made = new Rig(directSqliteStore(":memory:"));
  await made.engine.start({});
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  for (const instance of sick) made.traffic.unhealthy.add(instance);
  return { made, id };
}

async function frozen(): Promise<{ made: Rig; id: string }> {
  const { made, id } = await shifting(BLUE);
  await made.engine.control.abort(id, ASKER, soon());
  await made.until("it is frozen", async () => (await stateOf(made, id)) === "frozen");
  return { made, id };
}

const stateOf = async (made: Rig, id: string) => (await made.engine.control.deployment(id)).deployment.state;
const status = (made: Rig) => made.engine.control.serviceStatus("web", soon());
const alarms = (made: Rig) =>
  made.events.filter(({ type, data }) => type === "warning" && data["code"] === "unhealthy");

test("it stays frozen under the next server, with its ways out and one alarm", async () => {
  const { made, id } = await frozen();
  await made.crash();
  const hold = await made.until("it says so", async () => (await status(made)).deployment?.hold ?? false);
  expect(hold).toMatchObject({ kind: "frozen", remedy: expect.stringContaining("teal abort") });
  expect(await stateOf(made, id)).toBe("frozen");
  expect(await made.weights()).toMatchObject({ green: 50 });
  expect(alarms(made)).toHaveLength(1);
  made.traffic.unhealthy.clear();
  expect((await made.ended(id)).state).toBe("aborted");
  expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
});

test("the old environment may have become healthy while no server ran", async () => {
  const { made, id } = await frozen();
  made.life.end();
  made.traffic.unhealthy.clear();
  await made.crash();
  expect((await made.ended(id)).state).toBe("aborted");
  expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
  expect(made.events.findLast(({ type }) => type === "split-reverted")?.data).toMatchObject({ cause: "thaw" });
});

test("the traffic may have been given back past the server, as by abort --direct", async () => {
  const { made, id } = await frozen();
  made.traffic.unhealthy.clear();
  await made.traffic.revert("web", id);
  expect((await made.ended(id)).state).toBe("aborted");
  const { active, traffic } = await status(made);
  expect({ active, traffic }).toEqual({ active: "blue", traffic: { blue: 100, green: 0 } });
});

test("when the new environment is no longer healthy either it stays frozen: a person decides", async () => {
  const { made, id } = await frozen();
  made.traffic.unhealthy.add(GREEN);
  made.clock.advance(60_000);
  await made.until("it has looked again", () => true);
  expect(await stateOf(made, id)).toBe("frozen");
  await made.engine.control.abort(id, ASKER, soon());
  expect((await made.ended(id)).state).toBe("failed");
  expect(await made.weights()).toMatchObject({ green: 50 });
});

test("where neither environment is healthy going back is no worse: it goes back, with an alarm", async () => {
  const { made, id } = await shifting(BLUE, GREEN);
  await made.engine.control.abort(id, ASKER, soon());
  expect((await made.ended(id)).state).toBe("aborted");
  expect(await status(made)).toMatchObject({ active: "blue", traffic: { blue: 100, green: 0 } });
  expect(alarms(made).map(({ data }) => data)).toEqual([
    expect.objectContaining({
      message: "the traffic is back on blue, which has no healthy instance; green had none either",
      remedy: expect.stringContaining("Mend blue"),
    }),
  ]);
});

test("a healthy old environment takes the traffic back without an alarm", async () => {
  const { made, id } = await shifting(GREEN);
  await made.engine.control.abort(id, ASKER, soon());
  expect((await made.ended(id)).state).toBe("aborted");
  expect(alarms(made)).toEqual([]);
});

test("a rollback is refused, and leaves it to go back by itself", async () => {
  const { made, id } = await frozen();
  await expect(made.engine.control.rollback("web", ASKER, soon())).rejects.toMatchObject({
    code: "deployment-running",
    remedy: expect.stringContaining("Mend blue"),
  });
  expect(await stateOf(made, id)).toBe("frozen");
  made.traffic.unhealthy.clear();
  expect((await made.ended(id)).state).toBe("aborted");
});
