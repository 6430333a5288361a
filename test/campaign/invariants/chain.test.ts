import { join } from "node:path";
import { expect, test } from "vitest";
import { sampleEvent } from "../../../src/store/samples.ts";
import { SqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { temporaryFolder } from "../../../src/store/temporary.ts";
import type { Evidence, JournalFact, JournalRow } from "../evidence.ts";
import { recordsOf } from "../records.ts";
import { chain } from "./chain.ts";

/** As a store writes it, read past it. */
function written(): JournalFact {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  const store = new SqliteStore(file);
  store.append([sampleEvent({ step: "größe" }), sampleEvent({ service: null, data: {} })]);
  for (const at of [0, 1.5, 2e12]) store.append([sampleEvent({ at, deployment: "dep_1", data: { at } })]);
  store.close();
  return recordsOf(file, "web").journal;
}

const journal = written();
const { rows, head } = journal;
const found = (change: Partial<JournalFact>): readonly string[] =>
  chain({ journal: { ...journal, ...change } } as unknown as Evidence);
const changed = (seq: number, change: Partial<JournalRow>): readonly JournalRow[] =>
  rows.map((row) => (row.seq === seq ? { ...row, ...change } : row));
const third = rows[2]?.hash ?? "";

test("what the store writes is a whole chain", () => {
  expect(rows).toHaveLength(5);
  expect(found({})).toEqual([]);
});

test.each<[string, Partial<JournalFact>]>([
  ["data", { rows: changed(2, { data: '{"x":1}' }) }],
  ["a time", { rows: changed(3, { at: 1 }) }],
  ["a service", { rows: changed(2, { service: "" }) }],
  ["a type", { rows: changed(1, { type: "drift" }) }],
  ["a hash", { rows: changed(4, { hash: third }) }],
  ["one removed", { rows: rows.filter(({ seq }) => seq !== 3) }],
  [
    "one removed, the others moved up",
    { rows: rows.filter(({ seq }) => seq !== 3).map((row, at) => ({ ...row, seq: at + 1 })) },
  ],
  ["two swapped", { rows: rows.map((row) => ({ ...(rows[[0, 2, 1, 3, 4][row.seq - 1] ?? 0] ?? row), seq: row.seq })) }],
  ["the newest cut off", { rows: rows.slice(0, -1) }],
  [
    "the newest cut off, and the head's number with it",
    { rows: rows.slice(0, -1), head: { seq: 4, hash: head?.hash ?? "" } },
  ],
  ["all of it gone", { rows: [], head: null }],
  ["a gap", { gaps: 1 }],
])("%s: found", (_what, change) => {
  expect(found(change)).toHaveLength(1);
});
