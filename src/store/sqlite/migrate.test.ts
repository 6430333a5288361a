import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { NOW, sampleDeployment, sampleEvent, samplePlan, sampleReceipt, sampleRelease } from "../samples.ts";
import { temporaryFolder } from "../temporary.ts";
import { migrate } from "./migrate.ts";
import { MIGRATIONS } from "./schema.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { storeSchema } from "./store-schema.ts";
import { type VerifiedEvents, verifyEvents } from "./verify-events.ts";

/** Schema and rows as version 1 wrote them; never regenerated. */
const V1 = readFileSync(new URL("./fixtures/v1.sql", import.meta.url), "utf8");

const schemaOf = (database: DatabaseSync): unknown[] =>
  database
    .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .all();

async function verified(file: string): Promise<VerifiedEvents> {
  using database = new DatabaseSync(file, { readOnly: true });
  return await verifyEvents(database, new AbortController().signal);
}

test("a store that version 1 wrote is read whole", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  const old = new DatabaseSync(file);
  old.exec(V1);
  old.close();
  const store = new SqliteStore(file);
  expect(store.services()).toEqual([
    { service: "web", fence: 3, generation: 2, weights: { blue: 90, green: 10 }, active: "blue", standby: "green" },
  ]);
  expect(store.environments("web")).toEqual([{ service: "web", name: "green", release: "v2", desired: "running" }]);
  expect(store.releases("web")).toEqual([sampleRelease]);
  const cause = { kind: "verdict", code: "guardrail-breached", message: "7 % errors" };
  expect(store.history("web", 9)).toEqual([
    sampleDeployment("dep_2", {
      state: "rolling-back",
      touchedTraffic: true,
      cause: { kind: "abort", by: "bob", reason: null },
      startedAt: NOW + 8,
    }),
    sampleDeployment("dep_1", {
      state: "rolled-back",
      touchedTraffic: true,
      cause,
      startedAt: NOW + 1,
      endedAt: NOW + 7,
    } as never),
  ]);
  expect(store.plan("dep_2")).toEqual(samplePlan);
  expect(store.steps("dep_2").map((step) => [step.id, step.state, step.attempt, step.progress, step.result])).toEqual([
    ["start", "done", 1, {}, { instances: 2 }],
    ["shift-10", "running", 2, { since: NOW }, null],
    ["bake", "pending", 0, {}, null],
  ]);
  expect(store.retirements()).toEqual([{ service: "web", environment: "old", release: "v0", at: NOW + 99 }]);
  expect(store.receipts("dep_1")).toEqual([sampleReceipt({ final: true })]);
  expect(store.events(0, 99).map((event) => [event.seq, event.type])).toEqual([
    [1, "deployment-accepted"],
    [2, "deployment-accepted"],
    [3, "step-completed"],
  ]);
  expect(store.lastSeq()).toBe(5);
  store.close();
});

test("the migration that version 1 published has not been changed", () => {
  const published = new DatabaseSync(":memory:");
  published.exec(V1);
  const ours = new DatabaseSync(":memory:");
  migrate(ours, MIGRATIONS.slice(0, 1));
  expect(schemaOf(ours)).toEqual(schemaOf(published));
});

test.each(MIGRATIONS.map((_, index) => index + 1))(
  "a store of version %i is opened, and is of the newest then",
  async (version) => {
    using folder = temporaryFolder();
    const file = join(folder.path, "teal.db");
    const old = new DatabaseSync(file);
    old.exec(V1);
    migrate(old, MIGRATIONS.slice(0, version));
    old.close();
    expect(storeSchema(file)).toBe(version);
    const store = new SqliteStore(file);
    expect(store.history("web", 9).map(({ id }) => id)).toEqual(["dep_2", "dep_1"]);
    expect(store.environments("web")).toMatchObject([{ name: "green", release: "v2" }]);
    expect(store.append([sampleEvent()])).toMatchObject([{ seq: 6 }]);
    store.close();
    expect(storeSchema(file)).toBe(MIGRATIONS.length);
    expect(await verified(file)).toMatchObject({ fault: null, head: { seq: 6 }, count: 4, pruned: 2, beganAfter: 5 });
  },
);

test("pieces of traffic of version 7 are numbered as they followed each other", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  const old = new DatabaseSync(file);
  old.exec(V1);
  migrate(old, MIGRATIONS.slice(0, 7));
  const put = old.prepare("INSERT INTO series (deployment, began_at, chunk) VALUES (?, ?, ?)");
  for (const [deployment, from] of [
    ["dep_1", NOW + 60_000],
    ["dep_2", NOW + 9],
    ["dep_1", NOW],
  ] as const)
    put.run(deployment, from, deflateRawSync(JSON.stringify({ format: 1, deployment, from, points: [] })));
  old.close();
  const store = new SqliteStore(file);
  expect(store.series("dep_1").map(({ number, from }) => [number, from - NOW])).toEqual([
    [0, 0],
    [1, 60_000],
  ]);
  expect(store.lastSeries("dep_2")).toEqual({ format: 1, deployment: "dep_2", number: 0, from: NOW + 9, points: [] });
  store.close();
});

test("events of before the chain are chained as they are, across what had been pruned", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  const old = new DatabaseSync(file);
  old.exec(V1);
  migrate(old, MIGRATIONS.slice(0, 8));
  const put = old.prepare("INSERT INTO events (seq, at, type, data) VALUES (?, 1, 'warning', '{}')");
  old.exec("BEGIN");
  for (let seq = 9; seq < 3_000; seq++) if (seq % 700 !== 0) put.run(seq);
  old.exec("COMMIT");
  old.close();
  const store = new SqliteStore(file);
  expect(await verified(file)).toMatchObject({ fault: null, head: { seq: 2_999 }, pruned: 9, beganAfter: 2_999 });
  // All of no deployment but those of deployment 2, which goes on.
  expect(store.prune(NOW - 1, sampleEvent({ type: "events-pruned" }))).toMatchObject([{ seq: 3_000 }]);
  store.close();
  expect(await verified(file)).toMatchObject({ fault: null, head: { seq: 3_000 }, count: 4 });
  const hand = new DatabaseSync(file);
  hand.exec("UPDATE events SET data = '{}' WHERE seq = 2");
  hand.close();
  expect(await verified(file)).toMatchObject({ fault: expect.stringMatching(/^event 2 does not follow/) });
});

test("a store that is not there has no schema", () => {
  using folder = temporaryFolder();
  expect(storeSchema(join(folder.path, "teal.db"))).toBe(0);
});

test("an old schema is brought forward step by step, and a step that fails leaves the one before", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, ["CREATE TABLE a (x)"]);
  expect(() =>
    migrate(database, ["CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE TABLE c (x); CREATE TABLE a (x)"]),
  ).toThrow("already exists");
  expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 2 });
  expect(database.prepare("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "a" }, { name: "b" }]);
  migrate(database, ["CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE TABLE c (x)"]);
  expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 3 });
});

test("a newer schema is refused by an older version, and left as it is", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  new SqliteStore(file).close();
  const newer = new DatabaseSync(file);
  newer.exec("PRAGMA user_version = 99");
  expect(() => new SqliteStore(file)).toThrow(
    expect.objectContaining({
      code: "protocol-mismatch",
      message: expect.stringContaining("schema 99"),
      remedy: "Use the version of Teal that wrote it, or a newer one.",
    }),
  );
  expect(newer.prepare("PRAGMA user_version").get()).toEqual({ user_version: 99 });
  newer.close();
});

test("a database of another program is refused", () => {
  const strange = new DatabaseSync(":memory:");
  strange.exec("CREATE TABLE theirs (x)");
  expect(() => migrate(strange)).toThrow(
    expect.objectContaining({ code: "store-failed", message: expect.stringContaining("another program") }),
  );
});
