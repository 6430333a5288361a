import { expect, test } from "vitest";
import type { ToldObservation } from "../ports/traffic.ts";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { Rig } from "./testing/rig.ts";

const ASKER = { by: "ann", reason: "a try", idempotencyKey: null };
const soon = () => AbortSignal.timeout(5_000);

/** What no data plane here is at. */
const NONSENSE: ToldObservation = {
  split: { fence: 99, generation: 99, weights: { blue: 1, green: 99 } },
  armed: { deployment: "dep_unknown", revertTo: { blue: 100, green: 0 } },
  latched: [],
  instances: [{ id: "web/green/v1/0", environment: "green", healthy: false }],
  maintenance: "on",
};

/** v1 serves; `asked` counts the observations that the data plane is asked for. */
async function rig(): Promise<{ made: Rig; asked: () => number }> {
  const made = new Rig(directSqliteStore(":memory:"));
  let count = 0;
  const observe = made.traffic.observe.bind(made.traffic);
  made.traffic.observe = (service) => {
    count += 1;
    return observe(service);
  };
  await made.engine.start({});
  await made.deployed("v1");
  count = 0;
  return { made, asked: () => count };
}

test("a status shows what the data plane has told, and asks only where nothing was", async () => {
  const { made, asked } = await rig();
  const status = () => made.engine.control.serviceStatus("web", soon());
  expect(await status()).toMatchObject({ observed: { blue: 100 }, maintenance: null });
  expect(asked()).toBe(1);
  made.traffic.telling.set("web", NONSENSE);
  expect(await status()).toMatchObject({ observed: { blue: 1, green: 99 }, maintenance: { live: "on" } });
  expect(await made.engine.control.status(soon())).toMatchObject([{ observed: { blue: 1, green: 99 } }]);
  expect(asked()).toBe(1);
});

test("a plan asks the data plane itself, whatever it has told", async () => {
  const { made, asked } = await rig();
  const question = { goal: "deploy", service: "web", version: "v2", variables: {} } as const;
  const honest = await made.engine.control.plan(question, soon());
  const before = asked();
  expect(before).toBeGreaterThan(0);
  made.traffic.telling.set("web", NONSENSE);
  expect(await made.engine.control.plan(question, soon())).toEqual(honest);
  expect(asked()).toBe(2 * before);
});

test("deployments, what takes them back, and splits by hand go by what is, not by what was told", async () => {
  const { made } = await rig();
  made.traffic.telling.set("web", NONSENSE);
  expect((await made.deployed("v2")).state).toBe("completed");
  expect(await made.weights()).toEqual({ blue: 0, green: 100 });
  const { id } = await made.deploy("v3");
  await made.until("50 %", async () => (await made.weights())["blue"] === 50);
  await made.engine.control.abort(id, ASKER, soon());
  expect((await made.ended(id)).state).toBe("aborted");
  expect(await made.weights()).toEqual({ blue: 0, green: 100 });
  const wish = { weights: { blue: 0, green: 100 } };
  await made.engine.control.traffic("web", { ...ASKER, wish, force: false }, soon());
  expect(made.problems).toEqual([]);
  expect(made.events.filter(({ type }) => type === "drift")).toEqual([]);
});
