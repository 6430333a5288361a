import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { sampleAcceptance, sampleTransition } from "../samples.ts";
import { temporaryFolder } from "../temporary.ts";
import { SqliteStore } from "./sqlite-store.ts";

/** sqlite.org/fileformat2.html#walformat: a header, then frames of a header and a page each. */
const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4_096;
const TRANSITIONS = 30;

/** How many transitions a store has: the same number everywhere. */
function wholeTransitions(store: SqliteStore): number {
  const n = store.service("web")?.generation ?? 0;
  const told = store.events(0, 1_000).flatMap(({ type, data }) => (type === "warning" ? [data["n"]] : []));
  expect(told).toEqual(Array.from({ length: n }, (_, index) => index + 1));
  if (n === 0) return 0;
  expect(store.steps("dep_1")[1]).toMatchObject({ attempt: n, progress: { n } });
  expect(store.environments("web")).toMatchObject([{ release: String(n) }]);
  return n;
}

/** A database and its log, as a power cut leaves them: {@link TRANSITIONS} of them are in the log alone. */
function written(folder: string): { readonly database: string; readonly log: Buffer; readonly begun: number } {
  const file = join(folder, "teal.db");
  const store = new SqliteStore(file);
  const { fence } = store.claim("web", 0);
  store.accept(sampleAcceptance("dep_1"));
  store.transition({ service: "web", fence, at: 0, deployment: { id: "dep_1", state: "running" }, events: [] });
  const begun = readFileSync(`${file}-wal`).length;
  for (let n = 1; n <= TRANSITIONS; n += 1) store.transition(sampleTransition(fence, n));
  const database = join(folder, "copy.db");
  copyFileSync(file, database);
  const log = readFileSync(`${file}-wal`);
  store.close();
  return { database, log, begun };
}

/** Opens the database with this log, and goes on with it; how many transitions had been left. */
function opened({ database }: { readonly database: string }, log: Buffer, folder: string): number {
  const file = join(folder, "torn.db");
  copyFileSync(database, file);
  writeFileSync(`${file}-wal`, log);
  const store = new SqliteStore(file);
  const n = wholeTransitions(store);
  const { fence } = store.claim("web", 1_000);
  store.transition(sampleTransition(fence, n + 1));
  store.close();
  const again = new SqliteStore(file);
  expect(wholeTransitions(again)).toBe(n + 1);
  again.close();
  const plain = new DatabaseSync(file);
  expect(plain.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  plain.close();
  return n;
}

/** Places in the part of the log that the transitions wrote: borders of frames, the bytes about them, and the middle. */
function places(begun: number, end: number): readonly number[] {
  const frames = Math.floor((end - begun) / FRAME_BYTES);
  return [0.05, 0.3, 0.6, 0.9, 1].flatMap((part) => {
    const border = begun + Math.floor(part * frames) * FRAME_BYTES;
    return [border - FRAME_BYTES / 2, border - 1, border, border + 10].filter((at) => at <= end);
  });
}

test("a log that ends too early leaves a prefix of the transitions, each whole, and the store goes on", () => {
  using folder = temporaryFolder();
  const whole = written(folder.path);
  expect((whole.log.length - HEADER_BYTES) % FRAME_BYTES).toBe(0);
  const left = places(whole.begun, whole.log.length)
    .toSorted((a, b) => a - b)
    .map((at) => opened(whole, whole.log.subarray(0, at), folder.path));
  expect(left).toEqual(left.toSorted((a, b) => a - b));
  expect(left.at(-1)).toBe(TRANSITIONS);
  expect(left[0]).toBeLessThan(5);
  expect(new Set(left).size).toBeGreaterThan(4);
});

const DAMAGES: readonly [what: string, damage: (log: Buffer, at: number) => Buffer][] = [
  ["bytes that are wrong", (log, at) => log.fill(0xff, at, at + 16)],
  ["zeros from there on", (log, at) => log.fill(0, at)],
  [
    "frames of another place from there on",
    (log, at) => Buffer.concat([log.subarray(0, at), log.subarray(HEADER_BYTES, HEADER_BYTES + log.length - at)]),
  ],
];

test.each(DAMAGES)("a log with %s leaves those before, each whole, and the store goes on", (_what, damage) => {
  using folder = temporaryFolder();
  const whole = written(folder.path);
  const ends = places(whole.begun, whole.log.length - 16).toSorted((a, b) => a - b);
  const left = ends.map((at) => opened(whole, damage(Buffer.from(whole.log), at), folder.path));
  expect(left).toEqual(left.toSorted((a, b) => a - b));
  expect(left[0]).toBeLessThan(5);
  expect(left.at(-1)).toBeGreaterThan(TRANSITIONS - 5);
  expect(opened(whole, whole.log, folder.path)).toBe(TRANSITIONS);
});
