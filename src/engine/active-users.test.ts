import { expect, test } from "vitest";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const ASKER = { by: "tester", reason: null, idempotencyKey: null };
const TENTH = { blue: 90, green: 10 };

async function shifting(): Promise<{ made: Rig; id: string }> {
  const made = new Rig(directSqliteStore(":memory:"));
  const guardrails = { ...quickSpec.deploy.guardrails, activeUsers: { warn: 0.2, hold: 0.4, windowMs: 1_000 } };
  made.spec = { ...quickSpec, deploy: { ...quickSpec.deploy, guardrails, shift: [{ weight: 10, forMs: 5_000 }] } };
  await made.engine.start({});
  await made.deployed("v1");
  const { id } = await made.deploy("v2");
  await made.until("10 %", async () => (await made.weights())["green"] === 10);
  return { made, id };
}

const told = (made: Rig) =>
  made.events.flatMap(({ type, data }) => (type === "guardrail" && data["rule"] === "activeUsers" ? [data] : []));

test("the data plane is asked to count users, and a release that loses many holds until a person says otherwise", async () => {
  const { made, id } = await shifting();
  expect(made.traffic.applied.at(-1)?.traffic.usersWindowMs).toBe(1_000);
  const began = made.clock.monotonic();
  await made.until("it holds, and is past its time", () => {
    made.traffic.users("web", { window: 1, ms: 1_000, weights: TENTH, distinct: { blue: 9_000, green: 400 } });
    return made.clock.monotonic() - began > 8_000 && told(made).length > 0;
  });
  expect(told(made)).toMatchObject([{ action: "hold", observed: expect.closeTo(0.6, 1) as number }]);
  expect((await made.weights())["green"]).toBe(10);
  await made.restart();
  await made.until("it holds still", async () => {
    const status = await made.engine.control.serviceStatus("web", AbortSignal.timeout(5_000));
    return status.deployment?.hold?.kind === "guardrail";
  });
  const resumed = made.engine.control.resume(id, { ...ASKER, drift: null }, AbortSignal.timeout(5_000));
  expect((await made.ended(id)).state).toBe("completed");
  await resumed;
});

test("a release that keeps its users goes on, and too few are said to be too few", async () => {
  const { made, id } = await shifting();
  made.traffic.users("web", { window: 1, ms: 1_000, weights: TENTH, distinct: { blue: 18, green: 1 } });
  expect((await made.ended(id)).state).toBe("completed");
  expect(told(made)[0]).toMatchObject({ action: "none" });
  expect(String(told(made)[0]?.["message"])).toMatch(
    /^not enough evidence: users of green in 1 s: about 1 for 10 % of both/,
  );
});
