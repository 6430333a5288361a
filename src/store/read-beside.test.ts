import { expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import { SqliteStore } from "./sqlite/sqlite-store.ts";
import { directSqliteStore } from "./sqlite/direct.ts";
import { openSqliteReader } from "./sqlite/open.ts";
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
          open: () => openSqliteReader(file),
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
  const beside = readBeside(slow, { open: () => openSqliteReader(file), monotonic: () => 0, onFailure: unexpected });
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
      const reader = new SqliteStore(file, { readOnly: true });
      // It ends under the hands of whoever reads.
      if (opened === 2) reader.close();
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

test("what is no failure of the store is thrown", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const store = directSqliteStore(file);
  const reader = new SqliteStore(file, { readOnly: true });
  reader.lastSeq = () => {
    throw new TealError("internal", "a bug");
  };
  const beside = readBeside(store, { monotonic: () => 0, onFailure: unexpected, open: () => reader });
  await expect(beside.lastSeq()).rejects.toThrow("a bug");
  await beside.close();
});

test("a piece of traffic that is being put is not overtaken by who asks for the pieces", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const queued = queuedStore(directSqliteStore(file), 1);
  const beside = readBeside(queued, {
    open: () => openSqliteReader(file),
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
