import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { TealError } from "../../model/error.ts";
import { temporaryFolder } from "../temporary.ts";
import { sampleAcceptance, sampleEvent } from "../samples.ts";
import { Database, type Outcome } from "./database.ts";
import { SqliteStore } from "./sqlite-store.ts";

test("every commit is durable: WAL with full syncs, foreign keys held", () => {
  using folder = temporaryFolder();
  const database = new Database(join(folder.path, "teal.db"));
  const pragma = (name: string): unknown => database.first(z.record(z.string(), z.unknown()), `PRAGMA ${name}`)?.[name];
  expect([pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")]).toEqual(["wal", 2, 1]);
  expect(() => database.run("INSERT INTO retirements VALUES ('nobody', 'blue', 'v1', 1)")).toThrow(
    expect.objectContaining({ code: "store-failed", message: expect.stringContaining("FOREIGN KEY") }),
  );
  database.close();
});

test("a transaction that throws leaves nothing, and the next one works", () => {
  using folder = temporaryFolder();
  const database = new Database(join(folder.path, "teal.db"));
  const insert = (name: string): number =>
    database.run("INSERT INTO services VALUES (?, 1, 0, '{}', NULL, NULL)", name);
  expect(() =>
    database.transaction(() => {
      insert("web");
      throw new Error("in the middle");
    }),
  ).toThrow("in the middle");
  database.transaction(() => insert("api"));
  expect(database.all(z.object({ service: z.string() }), "SELECT service FROM services")).toEqual([{ service: "api" }]);
  database.close();
});

test("on a full disk the write is tried once more after relief, and fails with store-failed without it", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  new SqliteStore(file).close();
  // max_page_count makes SQLite itself say SQLITE_FULL, as a disk without room does.
  const full = (database: Database, pages: number): void => {
    database.all(z.unknown(), `PRAGMA max_page_count = ${String(pages)}`);
  };
  const big = "x".repeat(200_000);
  const write = (database: Database): number =>
    database.transaction(() =>
      database.run("INSERT INTO events (at, type, data) VALUES (1, 'warning', ?)", JSON.stringify({ big })),
    );

  let asked = 0;
  const helpless = new Database(file, { relieve: () => (asked++, false) });
  full(helpless, 30);
  expect(() => write(helpless)).toThrow(
    expect.objectContaining({
      code: "store-failed",
      cause: expect.anything(),
      remedy: expect.stringContaining("Make room"),
    }),
  );
  expect(asked).toBe(1);
  full(helpless, 10_000);
  expect(write(helpless)).toBe(1);
  helpless.close();

  const relieved: Database = new Database(file, {
    relieve: () => {
      full(relieved, 10_000);
      return true;
    },
  });
  full(relieved, 90);
  expect(write(relieved)).toBe(1);
  relieved.close();
});

test("a row that Teal cannot have written is store-failed, and names the place", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  const store = new SqliteStore(file);
  store.accept(sampleAcceptance("dep_1"));
  store.append([sampleEvent()]);
  const hand = new DatabaseSync(file);
  hand.exec(
    "UPDATE services SET weights = '{\"blue\": 101}'; UPDATE steps SET progress = 'not json'; UPDATE deployments SET state = 'dancing'",
  );
  hand.close();
  expect(() => store.services()).toThrow(
    expect.objectContaining({
      code: "store-failed",
      message: expect.stringContaining("services is not what Teal writes (weights.blue"),
    }),
  );
  expect(() => store.steps("dep_1")).toThrow(
    expect.objectContaining({ code: "store-failed", message: expect.stringContaining("not JSON") }),
  );
  expect(() => store.deployment("dep_1")).toThrow(
    expect.objectContaining({ code: "store-failed", message: expect.stringContaining("(state:") }),
  );
  expect(store.events(0, 9)).toHaveLength(2);
  store.close();
});

describe("calls together", () => {
  const names = z.object({ service: z.string() });
  const insert = (database: Database, name: string, then: () => void = () => undefined): number =>
    database.transaction(() => {
      const changed = database.run("INSERT INTO services VALUES (?, 1, 0, '{}', NULL, NULL)", name);
      then();
      return changed;
    });
  const select = (database: Database): readonly string[] =>
    database.all(names, "SELECT service FROM services ORDER BY service").map(({ service }) => service);
  /** What another connection sees: only what is committed. */
  const committed = (file: string): readonly string[] => {
    const other = new Database(file);
    const seen = select(other);
    other.close();
    return seen;
  };
  /** Runs them together; the outcomes in the order of telling, each with what was committed by then. */
  const together = (database: Database, file: string, ...runs: (() => unknown)[]) => {
    const told: { readonly call: number; readonly outcome: Outcome; readonly committed: readonly string[] }[] = [];
    database.together(
      runs.map((run, call) => ({
        run,
        settle: (outcome) => {
          told.push({ call, outcome, committed: committed(file) });
        },
      })),
    );
    return told;
  };

  test("are committed at once before any of them is answered, and one that fails takes only its own part back", () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "teal.db");
    let commits = 0;
    const database = new Database(file, { written: () => (commits += 1) });
    const told = together(
      database,
      file,
      () => select(database),
      () => insert(database, "web"),
      () =>
        insert(database, "half", () => {
          throw new TealError("fenced", "refused");
        }),
      () => select(database),
      () => insert(database, "api"),
    );
    expect(told).toMatchObject([
      { call: 0, outcome: { value: [] }, committed: [] },
      { call: 1, outcome: { value: 1 }, committed: ["api", "web"] },
      { call: 2, outcome: { error: { code: "fenced" } } },
      { call: 3, outcome: { value: ["web"] } },
      { call: 4, outcome: { value: 1 } },
    ]);
    expect(commits).toBe(1);
    database.close();
  });

  test("which cannot be committed together are each tried alone, with the relief of a full disk", () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "teal.db");
    new SqliteStore(file).close();
    const limit = (database: Database, pages: number): void => {
      database.all(z.unknown(), `PRAGMA max_page_count = ${String(pages)}`);
    };
    let asked = 0;
    const database: Database = new Database(file, { relieve: () => (asked++, false) });
    limit(database, 40);
    const big = "x".repeat(200_000);
    const told = together(
      database,
      file,
      () => insert(database, "web"),
      () => insert(database, big),
      () => insert(database, "api"),
    );
    expect(told).toMatchObject([
      { call: 0, outcome: { value: 1 }, committed: ["web"] },
      { call: 1, outcome: { error: { code: "store-failed" } }, committed: ["web"] },
      { call: 2, outcome: { value: 1 }, committed: ["api", "web"] },
    ]);
    expect(asked).toBe(1);
    database.close();
  });
});
