import { expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import { SqliteStore } from "./sqlite/sqlite-store.ts";
import { directSqliteStore, directly } from "./sqlite/direct.ts";
import { queuedStore } from "./queued.ts";
import { readBeside } from "./read-beside.ts";
import { sampleAcceptance, sampleChunk } from "./samples.ts";
import { storeConformance } from "./store.conformance.ts";
import type { Store } from "./store.ts";
import { temporaryFolder } from "./temporary.ts";

const unexpected = (problem: TealError): void => {
  throw problem;
};
const readerOf = (file: string): Promise<Store> => Promise.resolve(directly(new SqliteStore(file, { readOnly: true })));

storeConformance("SQLite, read beside the writes", () => {
  const folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  return Promise.resolve({
    open: async () => {
      const store = readBeside(directSqliteStore(file), {
        open: () => readerOf(file),
        monotonic: () => 0,
        onFailure: unexpected,
        longMs: 0,
      });
      for (let times = 0; times < 3; times += 1) await store.lastSeq();
      return store;
    },
    remove: () => {
      folder[Symbol.dispose]();
      return Promise.resolve();
    },
  });
});

/** A store that takes `tookMs` for each call, by a clock of its own. */
function slow(beneath: Store) {
  const state = { now: 0, tookMs: 0, asked: 0 };
  const store: Store = {
    ...beneath,
    lastSeq: () => {
      state.now += state.tookMs;
      state.asked += 1;
      return beneath.lastSeq();
    },
  };
  return { state, store };
}

test("the second opening is made once three reads in a row have waited long, and not before", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const { state, store } = slow(directSqliteStore(file));
  let opened = 0;
  const beside = readBeside(store, {
    open: () => {
      opened += 1;
      return readerOf(file);
    },
    monotonic: () => state.now,
    onFailure: unexpected,
  });
  for (state.tookMs of [30, 30, 29, 30, 30]) await beside.lastSeq();
  expect(opened).toBe(0);
  state.tookMs = 30;
  await Promise.all([beside.lastSeq(), beside.lastSeq()]);
  expect(opened).toBe(1);
  const before = state.asked;
  await beside.lastSeq();
  expect(state.asked).toBe(before);
  await beside.close();
});

test("what fails beside is asked of the store, told once for all that were under way, and tried again later", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const { state, store } = slow(directSqliteStore(file));
  state.tookMs = 50;
  const told: string[] = [];
  let opened = 0;
  const beside = readBeside(store, {
    monotonic: () => state.now,
    onFailure: ({ message }: TealError) => {
      told.push(message);
    },
    open: async () => {
      opened += 1;
      if (opened === 1) throw new TealError("store-failed", "no room");
      const reader = await readerOf(file);
      if (opened === 3) return reader;
      return { ...reader, lastSeq: () => Promise.reject(new TealError("store-failed", "the thread ended")) };
    },
  });
  const threeTimes = async (): Promise<void> => {
    for (let times = 0; times < 3; times += 1) expect(await beside.lastSeq()).toBe(0);
  };
  await threeTimes();
  expect(told).toEqual(["no room"]);
  await threeTimes();
  expect(opened).toBe(2);
  expect(await Promise.all([beside.lastSeq(), beside.lastSeq(), beside.lastSeq()])).toEqual([0, 0, 0]);
  expect(told).toEqual(["no room", "the thread ended"]);
  await threeTimes();
  expect(opened).toBe(3);
  const asked = state.asked;
  expect(await beside.lastSeq()).toBe(0);
  expect(state.asked).toBe(asked);
  await beside.close();
});

test("a piece of traffic that is being put is not overtaken by who asks for the pieces", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const queued = queuedStore(directSqliteStore(file), 1);
  const beside = readBeside(queued, {
    open: () => readerOf(file),
    monotonic: () => 0,
    onFailure: unexpected,
    longMs: 0,
  });
  await beside.accept(sampleAcceptance("dep_1"));
  for (let times = 0; times < 3; times += 1) await beside.lastSeq();
  const put = beside.putSeries(sampleChunk({ deployment: "dep_1" }));
  expect(await beside.series("dep_1")).toHaveLength(1);
  await put;
  await beside.close();
});
