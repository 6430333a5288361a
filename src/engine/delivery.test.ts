import { expect, test } from "vitest";
import type { Dora } from "../model/dora.ts";
import type { ServiceSpec } from "../model/service.ts";
import { storeThrough } from "../store/sync.ts";
import { directSqliteStore } from "../store/sqlite/direct.ts";
import { quickSpec, Rig } from "./testing/rig.ts";

const HOUR = 3_600_000;
const ASKER = { by: "ann", reason: null, idempotencyKey: null };
const soon = () => AbortSignal.timeout(5_000);
const fromGit: ServiceSpec = { ...quickSpec, release: { kind: "git", repository: "/srv/repository", path: "app" } };

async function doraOf(made: Rig): Promise<Dora | null> {
  return (await made.engine.control.serviceStatus("web", soon())).dora;
}

/** The same store, and how often it was asked for changes. */
function counted() {
  const inner = directSqliteStore(":memory:");
  const asked = { changes: 0 };
  const store = storeThrough((method, values) => {
    if (method === "changes") asked.changes += 1;
    return Reflect.apply(inner[method], inner, values) as never;
  });
  return { store, asked };
}

test("a deploy, one that is taken back and a rollback show in the status, each when it has ended", async () => {
  const made = new Rig(directSqliteStore(":memory:"));
  made.spec = fromGit;
  made.committedAt = made.clock.now() - 2 * HOUR;
  await made.engine.start({});
  expect(await doraOf(made)).toBeNull();
  await made.deployed("v1");
  const first = await made.until("it is worked out", () => doraOf(made));
  expect(first).toMatchObject({ deployments: 1, changes: 1, failures: 0, deploymentsPerDay: null });
  expect(first.leadTimeSeconds).toBeGreaterThanOrEqual(2 * 3_600);
  expect(first.leadTimeSeconds).toBeLessThan(2 * 3_600 + 60);

  const { id } = await made.deploy("v2");
  await made.until("50 %", async () => (await made.weights())["green"] === 50);
  await made.engine.control.abort(id, ASKER, soon());
  await made.ended(id);
  const second = await made.until("the failure counts", async () => {
    const found = await doraOf(made);
    return found?.failures === 1 && found;
  });
  expect(second).toMatchObject({ deployments: 1, changes: 2, changeFailureRate: 0.5 });
  expect(second.timeToRestoreSeconds).toBeGreaterThan(0);
  expect(second.timeToRestoreSeconds).toBeLessThan(10);

  await made.deployed("v3");
  made.clock.advance(60_000);
  let done = false;
  void made.engine.control.rollback("web", ASKER, soon()).then(() => (done = true));
  await made.until("it is rolled back", () => done);
  const third = await made.until("both failures count", async () => {
    const found = await doraOf(made);
    return found?.failures === 2 && found;
  });
  expect(third).toMatchObject({ deployments: 2, changes: 3 });
});

test("it is read at a deployment's end and each hour, and not for a status; a new server works it out by itself", async () => {
  const { store, asked } = counted();
  const made = new Rig(store);
  await made.engine.start({});
  await made.deployed("v1");
  await made.until("it is worked out", () => doraOf(made));
  const before = asked.changes;
  for (let n = 0; n < 20; n += 1) await doraOf(made);
  expect(asked.changes).toBe(before);
  made.clock.advance(2 * HOUR);
  await made.until("it is looked at again", () => asked.changes > before);
  await made.restart();
  expect(await made.until("it is worked out again", () => doraOf(made))).toMatchObject({ deployments: 1 });
});

test("days without a deployment go into the rate, as the window moves on", async () => {
  const made = new Rig(directSqliteStore(":memory:"));
  await made.engine.start({});
  await made.deployed("v1");
  for (const [days, rate] of [
    [2, 0.5],
    [8, 0.1],
  ] as const) {
    for (let hours = 0; hours < days * 24; hours += 1) {
      made.clock.advance(HOUR);
      await doraOf(made);
    }
    const found = await made.until("a rate", async () => {
      const now = await doraOf(made);
      return now?.deploymentsPerDay != null && Math.abs(now.deploymentsPerDay - rate) < 0.02 && now;
    });
    expect(found.leadTimeSeconds).toBeNull();
  }
});
