import { renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import { SqliteStore } from "./sqlite/sqlite-store.ts";
import { directSqliteStore } from "./sqlite/direct.ts";
import { sqliteReaders } from "./sqlite/open.ts";
import { queuedStore } from "./queued.ts";
import { readBeside } from "./read-beside.ts";
import { sampleAcceptance, sampleChunk, sampleEvent } from "./samples.ts";
import { storeConformance } from "./store.conformance.ts";
import type { Store } from "./store.ts";
import { temporaryFolder } from "./temporary.ts";

const unexpected = (problem: TealError): void => {
  throw problem;
};

storeConformance("SQLite, read beside the writes", () => {
  const folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  return Promise.resolve({
    open: () =>
      Promise.resolve(
        readBeside(directSqliteStore(file), {
          open: sqliteReaders(file),
          monotonic: () => 0,
          onFailure: unexpected,
        }),
      ),
    remove: () => {
      folder[Symbol.dispose]();
      return Promise.resolve();
    },
  });
});

/** A store that tells how often it was asked for its last number. */
function asked(beneath: Store) {
  const state = { times: 0 };
  const store: Store = {
    ...beneath,
    lastSeq: () => {
      state.times += 1;
      return beneath.lastSeq();
    },
  };
  return { state, store };
}

test("a small read sees what was answered, and does not wait for what is being written", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const { state, store } = asked(directSqliteStore(file));
  const gate = Promise.withResolvers<void>();
  const slow: Store = {
    ...store,
    append: async (events) => {
      if (events.length > 1) await gate.promise;
      return store.append(events);
    },
  };
  const beside = readBeside(slow, { open: sqliteReaders(file), monotonic: () => 0, onFailure: unexpected });
  await beside.append([sampleEvent()]);
  const write = beside.append([sampleEvent(), sampleEvent()]);
  expect(await beside.lastSeq()).toBe(1);
  gate.resolve();
  await write;
  expect(await beside.lastSeq()).toBe(3);
  expect(state.times).toBe(0);
  await beside.close();
});

test("what cannot be read beside is asked of the store, told once, and tried again later", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const { state, store } = asked(directSqliteStore(file));
  const told: string[] = [];
  const readers = sqliteReaders(file);
  let now = 0;
  let opened = 0;
  const beside = readBeside(store, {
    monotonic: () => now,
    onFailure: ({ message }: TealError) => {
      told.push(message);
    },
    open: () => {
      opened += 1;
      if (opened === 1) throw new TealError("store-failed", "no room");
      const reader = readers();
      // It ends under the hands of whoever reads.
      if (opened === 2) reader.store.close();
      return reader;
    },
  });
  const threeTimes = async (): Promise<void> => {
    expect(await Promise.all([beside.lastSeq(), beside.lastSeq(), beside.lastSeq()])).toEqual([0, 0, 0]);
  };
  await threeTimes();
  expect([opened, state.times, told]).toEqual([1, 3, ["no room"]]);
  now += 10_000;
  await threeTimes();
  expect([opened, state.times]).toEqual([2, 6]);
  expect(told[1]).toContain("not open");
  now += 10_000;
  await threeTimes();
  expect([opened, state.times]).toEqual([3, 6]);
  await beside.close();
  expect(told.filter((message) => message === "no room")).toHaveLength(1);
});

test("a row that cannot be understood is the store's to tell, and ends no other read", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const { state, store } = asked(directSqliteStore(file));
  await store.claim("web", 0);
  const other = new DatabaseSync(file);
  other.exec("UPDATE services SET weights = 'no weights'");
  other.close();
  const beside = readBeside(store, { monotonic: () => 0, onFailure: unexpected, open: sqliteReaders(file) });
  await expect(beside.service("web")).rejects.toMatchObject({ code: "store-failed" });
  expect([await beside.lastSeq(), state.times]).toEqual([0, 0]);
  await beside.close();
});

test("a file that was put in place of the one that is written is not read", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const store = directSqliteStore(file);
  const readers = sqliteReaders(file);
  readers().store.close();
  const copy = directSqliteStore(`${folder.path}/copy.db`);
  await copy.close();
  renameSync(`${folder.path}/copy.db`, file);
  expect(readers).toThrow(/another file/);
  await store.close();
});

test("closing comes after the reads before it", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  let now = 0;
  // Each takes more than the share of a turn.
  const monotonic = (): number => (now += 10);
  const { state, store } = asked(directSqliteStore(file));
  const beside = readBeside(store, { monotonic, onFailure: unexpected, open: sqliteReaders(file) });
  const reads = Array.from({ length: 20 }, () => beside.lastSeq());
  await beside.close();
  expect(await Promise.all(reads)).toEqual(Array.from({ length: 20 }, () => 0));
  expect(state.times).toBe(0);
});

test("long lists are the store's thread's", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const store = directSqliteStore(file);
  const limits: number[] = [];
  const spied: Store = {
    ...store,
    history: (service, limit) => {
      limits.push(limit);
      return store.history(service, limit);
    },
  };
  const beside = readBeside(spied, { monotonic: () => 0, onFailure: unexpected, open: sqliteReaders(file) });
  for (const limit of [20, 1_000]) await beside.history("web", limit);
  expect(limits).toEqual([1_000]);
  await beside.close();
});

test("a piece of traffic that is being put is not overtaken by who asks for the pieces", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const queued = queuedStore(directSqliteStore(file), 1);
  const beside = readBeside(queued, {
    open: sqliteReaders(file),
    monotonic: () => 0,
    onFailure: unexpected,
  });
  await beside.accept(sampleAcceptance("dep_1"));
  const put = beside.putSeries(sampleChunk({ deployment: "dep_1" }));
  expect(await beside.series("dep_1")).toHaveLength(1);
  await put;
  await beside.close();
});

test("an outline is of one moment, however much is written while it is read", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const writer = new SqliteStore(file);
  writer.claim("web", 0);
  const reader = new SqliteStore(file, { readOnly: true });
  const environments = reader.environments.bind(reader);
  reader.environments = (service) => {
    writer.accept(sampleAcceptance("dep_1"));
    return environments(service);
  };
  expect(reader.outline("web").unfinished).toBeNull();
  reader.environments = environments;
  expect(reader.outline("web").unfinished?.id).toBe("dep_1");
  reader.close();
  writer.close();
});
