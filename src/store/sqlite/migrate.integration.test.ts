import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary.ts";
import { MIGRATIONS } from "./schema.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { storeSchema } from "./store-schema.ts";
import { verifyEvents } from "./verify-events.ts";

const V1 = readFileSync(new URL("./fixtures/v1.sql", import.meta.url), "utf8");

/** Brings the file to a version whose migration makes a table, changes another, and writes rows for far longer than the test. */
const MIGRATES = `
import { DatabaseSync } from "node:sqlite";
import { migrate } from ${JSON.stringify(new URL("./migrate.ts", import.meta.url).href)};
const database = new DatabaseSync(process.argv[1]);
database.exec("PRAGMA journal_mode = WAL");
migrate(database, [
  "the first is not run again",
  "CREATE TABLE half (x); UPDATE services SET fence = 999;" +
    "INSERT INTO half WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500000000) SELECT hex(randomblob(50)) FROM n",
]);
`;

const writtenAhead = (file: string): number => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;

test("kill -9 in the middle of a migration leaves the schema and the rows of before, which are then brought forward", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  const old = new DatabaseSync(file);
  old.exec(V1);
  old.close();
  const child = spawn(process.execPath, ["--input-type=module", "-e", MIGRATES, file], { stdio: "inherit" });
  const exited = once(child, "exit");
  try {
    // More than the pages of a small schema: rows of the unfinished migration are on disk.
    await expect.poll(() => writtenAhead(file), { timeout: 60_000, interval: 10 }).toBeGreaterThan(1_000_000);
  } finally {
    child.kill("SIGKILL");
  }
  expect(await exited).toEqual([null, "SIGKILL"]);
  expect(storeSchema(file)).toBe(1);
  const after = new DatabaseSync(file, { readOnly: true });
  expect(after.prepare("SELECT name FROM sqlite_schema WHERE name = 'half'").all()).toEqual([]);
  after.close();
  const store = new SqliteStore(file);
  expect(store.service("web")).toMatchObject({ fence: 3, generation: 2 });
  store.close();
  expect(storeSchema(file)).toBe(MIGRATIONS.length);
  using chained = new DatabaseSync(file, { readOnly: true });
  expect(await verifyEvents(chained, new AbortController().signal)).toMatchObject({ fault: null, head: { seq: 5 } });
});
