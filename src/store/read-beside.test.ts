import { expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import { SqliteStore } from "./sqlite/sqlite-store.ts";
import { directSqliteStore, directly } from "./sqlite/direct.ts";
import { readBeside } from "./read-beside.ts";
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
      await store.lastSeq();
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

test("the second opening is made once a read has waited long, and not before", async () => {
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
  state.tookMs = 29;
  await beside.lastSeq();
  expect(opened).toBe(0);
  state.tookMs = 30;
  await Promise.all([beside.lastSeq(), beside.lastSeq()]);
  expect(opened).toBe(1);
  const before = state.asked;
  await beside.lastSeq();
  expect(state.asked).toBe(before);
  await beside.close();
});

test("where it cannot be opened, or fails later, reads go to the store, and that is told once", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/teal.db`;
  const { state, store } = slow(directSqliteStore(file));
  state.tookMs = 50;
  const told: string[] = [];
  const options = {
    monotonic: () => state.now,
    onFailure: ({ message }: TealError) => {
      told.push(message);
    },
  };
  const never = readBeside(store, { ...options, open: () => Promise.reject(new TealError("store-failed", "no room")) });
  await never.lastSeq();
  expect(await never.lastSeq()).toBe(0);
  expect(told).toEqual(["no room"]);
  const failing = readBeside(store, {
    ...options,
    open: async () => ({
      ...(await readerOf(file)),
      lastSeq: () => Promise.reject(new TealError("store-failed", "the thread ended")),
    }),
  });
  await failing.lastSeq();
  const asked = state.asked;
  expect([await failing.lastSeq(), await failing.lastSeq()]).toEqual([0, 0]);
  expect(state.asked).toBe(asked + 2);
  expect(told).toEqual(["no room", "the thread ended"]);
  await failing.close();
});
