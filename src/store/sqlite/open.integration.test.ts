import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { TealError } from "../../model/error.ts";
import { sampleAcceptance, sampleEvent } from "../samples.ts";
import { storeConformance } from "../store.conformance.ts";
import type { Store } from "../store.ts";
import { temporaryFolder } from "../temporary.ts";
import { sqliteReaders, openSqliteStore } from "./open.ts";

const workerUrl = new URL("../../main/store-worker.ts", import.meta.url);

storeConformance("SQLite in a thread of its own", async () => {
  const folder = temporaryFolder();
  return {
    open: () => openSqliteStore({ file: join(folder.path, "teal.db"), workerUrl }),
    remove: async () => {
      folder[Symbol.dispose]();
    },
  };
});

/** A store's thread that ends itself, as by a bug or for want of memory, at an event named `warning` with `{die: true}`. */
function fragileEntry(folder: string): URL {
  const entry = join(folder, "fragile.mts");
  const source = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  writeFileSync(
    entry,
    `import { parentPort, workerData } from "node:worker_threads";
     import { openInThread } from ${source("./in-thread.ts")};
     import { serveStore } from ${source("../thread/serve.ts")};
     serveStore(parentPort, () => {
       const store = openInThread(workerData, () => performance.now());
       const append = store.append.bind(store);
       store.append = (events) => { if (events[0]?.data.die) process.exit(9); return append(events); };
       return store;
     });`,
  );
  return pathToFileURL(entry);
}

const deadly = [sampleEvent({ data: { die: true } })];

test("when the thread ends, all that wait are refused, and the next calls find it running again", async () => {
  using folder = temporaryFolder();
  const crashes: [TealError, boolean][] = [];
  const store = await openSqliteStore({
    file: join(folder.path, "teal.db"),
    workerUrl: fragileEntry(folder.path),
    onCrash: (error, final) => crashes.push([error, final]),
  });
  await store.accept(sampleAcceptance("dep_1"));
  const waiting = await Promise.allSettled([store.append(deadly), store.lastSeq(), store.services()]);
  expect(waiting.map((outcome) => outcome.status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(waiting[0]).toMatchObject({
    reason: { code: "store-failed", message: "the store's thread ended with code 9" },
  });
  expect((await store.unfinished()).map((row) => row.id)).toEqual(["dep_1"]);
  expect(crashes).toMatchObject([[{ code: "store-failed" }, false]]);
  await store.close();
});

test("a thread that keeps ending is given up", async () => {
  using folder = temporaryFolder();
  const finals: boolean[] = [];
  const store = await openSqliteStore({
    file: join(folder.path, "teal.db"),
    workerUrl: fragileEntry(folder.path),
    monotonic: () => 0,
    onCrash: (_error, final) => finals.push(final),
  });
  for (let i = 0; i < 4; i++) await expect(store.append(deadly)).rejects.toMatchObject({ code: "store-failed" });
  expect(finals).toEqual([false, false, false, true]);
  await expect(store.services()).rejects.toMatchObject({ code: "store-failed" });
  await store.close();
});

test("a store that does not open says why, once, and is not tried again", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  writeFileSync(file, "not a database at all, whatever its name says ".repeat(100));
  const crashes: TealError[] = [];
  await expect(openSqliteStore({ file, workerUrl, onCrash: (error) => crashes.push(error) })).rejects.toMatchObject({
    code: "store-failed",
    remedy: expect.stringContaining("backup"),
  });
  expect(crashes).toEqual([]);
});

test("calls keep their order, errors their problems, and a closed store refuses", async () => {
  using folder = temporaryFolder();
  const store: Store = await openSqliteStore({ file: join(folder.path, "teal.db"), workerUrl, ballast: null });
  const numbers = await Promise.all([1, 2, 3, 4, 5].map(() => store.append([sampleEvent()])));
  expect(numbers.flat().map((event) => event.seq)).toEqual([1, 2, 3, 4, 5]);
  const unsendable = sampleEvent({ data: { act: () => undefined } });
  await expect(store.append([unsendable])).rejects.toMatchObject({
    code: "internal",
    message: expect.stringContaining("append"),
  });
  const together = [[sampleEvent()], [unsendable], [sampleEvent()]].map((events) => store.append(events));
  expect((await Promise.allSettled(together)).map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  const last = store.lastSeq();
  await store.close();
  await expect(last).resolves.toBe(7);
  await expect(store.lastSeq()).rejects.toMatchObject({ code: "store-failed", message: "the store is closed" });
  await store.close();
  expect(existsSync(join(folder.path, "teal.db-wal"))).toBe(false);
});

test("what reads beside the writes answers while one of them waits, sees what was answered, and cannot write", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  const store = await openSqliteStore({ file, workerUrl, ballast: null });
  await store.append([sampleEvent()]);
  const { store: reader } = sqliteReaders(file)();
  await store.append([sampleEvent()]);
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  let isWritten = false;
  const write = store.append([sampleEvent()]).then(() => (isWritten = true));
  expect(reader.lastSeq()).toBe(2);
  expect(isWritten).toBe(false);
  other.exec("ROLLBACK");
  other.close();
  await write;
  expect(reader.lastSeq()).toBe(3);
  expect(() => reader.append([sampleEvent()])).toThrow(expect.objectContaining({ code: "store-failed" }));
  reader.close();
  await store.close();
});
