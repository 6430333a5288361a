import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import { systemClock } from "../main/clock.ts";
import { SLOT_BYTES, SnapshotFile } from "./snapshot-file.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-snapshot-"));
  path = join(folder, "proxy.snapshot");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const raise = (thrown: unknown): void => {
  throw thrown;
};
/** What was given to the disk before has been written by then. */
const synced = async (): Promise<void> => {
  const file = await open(path, "r+");
  for (let times = 0; times < 3; times += 1) await file.datasync();
  await file.close();
};
const reopened = async (): Promise<string | null> => {
  const file = new SnapshotFile(path, systemClock, raise);
  const payload = file.read();
  await file.close();
  return payload;
};

/** Breaks a byte of a slot's payload, as a write that did not end does. */
function tear(slot: 0 | 1): void {
  const fd = openSync(path, "r+");
  writeSync(fd, Buffer.from([0xff]), 0, 1, slot * SLOT_BYTES + 40);
  closeSync(fd);
}

test("is preallocated, and empty at first", async () => {
  expect(await reopened()).toBeNull();
  expect(statSync(path).size).toBe(2 * SLOT_BYTES);
  expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(2 * SLOT_BYTES);
});

test("the newest of many writes is read back", async () => {
  const file = new SnapshotFile(path, systemClock, raise);
  for (let n = 0; n < 7; n += 1) await file.save(() => Buffer.from(`state ${String(n)} ${"x".repeat(50)}`));
  await file.close();
  expect(await reopened()).toContain("state 6 ");
});

test("writes that come at once end with the last", async () => {
  const file = new SnapshotFile(path, systemClock, raise);
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => file.save(() => Buffer.from(`state ${String(n)} ${"x".repeat(50)}`))),
  );
  await file.close();
  expect(await reopened()).toContain("state 19 ");
});

test("what takes long to write rests for three times as long, and closing ends the rest", async () => {
  const clock = new ManualClock();
  const file = new SnapshotFile(path, clock, raise);
  const taking = (ms: number, text: string) => (): Buffer => {
    clock.advance(ms);
    return Buffer.from(text);
  };
  await file.save(taking(0.5, "small"));
  await file.save(taking(10, "large"));
  let isWritten = false;
  const next = file.save(taking(0, "next")).then(() => (isWritten = true));
  await synced();
  clock.advance(29);
  await synced();
  expect(isWritten).toBe(false);
  clock.advance(1);
  await next;
  await file.save(taking(400, "stalled"));
  const last = file.save(taking(0, "last"));
  await file.close();
  await last;
  expect(await reopened()).toBe("last");
});

test("a torn slot falls back to the other", async () => {
  const file = new SnapshotFile(path, systemClock, raise);
  await file.save(() => Buffer.from(`first ${"x".repeat(50)}`));
  await file.save(() => Buffer.from(`second ${"x".repeat(50)}`));
  await file.close();
  tear(1);
  expect(await reopened()).toContain("first");
  tear(0);
  expect(await reopened()).toBeNull();
});

test("after a torn slot the whole one is not written over", async () => {
  const file = new SnapshotFile(path, systemClock, raise);
  await file.save(() => Buffer.from(`first ${"x".repeat(50)}`));
  await file.save(() => Buffer.from(`second ${"x".repeat(50)}`));
  await file.close();
  tear(1);
  const again = new SnapshotFile(path, systemClock, raise);
  await again.save(() => Buffer.from(`third ${"x".repeat(50)}`));
  await again.close();
  expect(await reopened()).toContain("third");
  tear(1);
  expect(await reopened()).toContain("first");
});

test("two processes that write in turn do not overwrite the newest", async () => {
  const old = new SnapshotFile(path, systemClock, raise);
  const young = new SnapshotFile(path, systemClock, raise);
  await old.save(() => Buffer.from(`old 1 ${"x".repeat(50)}`));
  await young.save(() => Buffer.from(`young 1 ${"x".repeat(50)}`));
  await old.save(() => Buffer.from(`old 2 ${"x".repeat(50)}`));
  await young.save(() => Buffer.from(`young 2 ${"x".repeat(50)}`));
  await old.close();
  await young.close();
  expect(await reopened()).toContain("young 2");
});

test("what does not fit is known before it is written", () => {
  expect(SnapshotFile.fits(SLOT_BYTES)).toBe(false);
  expect(SnapshotFile.fits(1_000)).toBe(true);
});

test("what does not fit is not written, as it would tear both slots", async () => {
  const errors: unknown[] = [];
  const file = new SnapshotFile(path, systemClock, (error) => errors.push(error));
  await file.save(() => Buffer.from(`first ${"x".repeat(50)}`));
  await file.save(() => Buffer.from(`second ${"x".repeat(50)}`));
  await file.save(() => Buffer.from("x".repeat(SLOT_BYTES)));
  await file.save(() => Buffer.from("x".repeat(SLOT_BYTES)));
  await file.close();
  expect(errors).toHaveLength(2);
  expect(await reopened()).toContain("second");
  expect(statSync(path).size).toBe(2 * SLOT_BYTES);
});
