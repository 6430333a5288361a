import { expect, test } from "vitest";
import { FaultyStore } from "./testing/faulty-store.ts";
import { Rig } from "./testing/rig.ts";

const request = (idempotencyKey: string) => ({ by: "tester", reason: null, idempotencyKey });
const soon = () => AbortSignal.timeout(5_000);

/** A second release that has half of the traffic. */
async function halfway(): Promise<{ made: Rig; disk: FaultyStore; id: string }> {
  const disk = new FaultyStore();
  const made = new Rig(disk.store);
  await made.engine.start({});
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  return { made, disk, id };
}

test("a rollback that became an abort answers the same when it is repeated, also after restart and end", async () => {
  const { made, id } = await halfway();
  const first = await made.engine.control.rollback("web", request("once"), soon());
  expect(first).toMatchObject({ deployment: { id }, receipt: null });
  expect((await made.engine.control.rollback("web", request("once"), soon())).deployment.id).toBe(id);
  await made.crash();
  expect((await made.ended(id)).state).toBe("aborted");
  const again = await made.engine.control.rollback("web", request("once"), soon());
  expect(again).toMatchObject({ deployment: { id, state: "aborted" }, receipt: null });
  expect(await made.weights()).toMatchObject({ blue: 100 });
  expect(await made.engine.control.history("web", 9)).toHaveLength(2);
});

test("a full disk keeps no such rollback waiting", async () => {
  const { made, disk, id } = await halfway();
  disk.refusing = true;
  let answered = false;
  void made.engine.control.rollback("web", request("once"), soon()).then(() => (answered = true));
  await made.until("it is answered", () => answered);
  expect(await made.weights()).toMatchObject({ blue: 100 });
  disk.refusing = false;
  expect((await made.ended(id)).state).toBe("aborted");
});
