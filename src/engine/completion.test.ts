import { expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { Rig } from "./testing/rig.ts";

test("a bake whose traffic was given back by hand ends with the roles of that split, and retires what has none", async () => {
  const store = directSqliteStore(":memory:");
  const made = new Rig(store);
  await made.engine.start({});
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.atStep(id, "bake");
  const wish = { weights: { blue: 100, green: 0 } };
  const asker = { by: "tester", reason: null, idempotencyKey: null };
  await made.engine.control.traffic("web", { ...asker, wish, force: true }, AbortSignal.timeout(5_000));
  expect((await made.ended(id)).state).toBe("completed");
  expect(await store.service("web")).toMatchObject({ weights: { blue: 100 }, active: "blue", standby: "green" });
  expect(await store.retirements("web")).toMatchObject([{ environment: "green" }]);
});
