import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import { systemClock } from "../main/clock.ts";
import { PAYLOAD_BYTES, SLOT_BYTES, SnapshotFile } from "./snapshot-file.ts";
import { HeldThreads } from "./held-threads.ts";
import { turn } from "./plane-harness.ts";
import { SnapshotImage } from "./snapshot-image.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-snapshot-"));
  path = join(folder, "proxy.snapshot");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

type Payload = Parameters<SnapshotFile["save"]>[0];
const plain = (text: string): Payload => {
  const bytes = Buffer.from(text);
  return () => ({ bytes, checksum: (seed) => crc32(bytes, seed) });
};
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
  for (let n = 0; n < 7; n += 1) await file.save(plain(`state ${String(n)} ${"x".repeat(50)}`));
  await file.close();
  expect(await reopened()).toContain("state 6 ");
});

test("writes that come at once end with the last", async () => {
  const file = new SnapshotFile(path, systemClock, raise);
  await Promise.all(Array.from({ length: 20 }, (_, n) => file.save(plain(`state ${String(n)} ${"x".repeat(50)}`))));
  await file.close();
  expect(await reopened()).toContain("state 19 ");
});

test("what takes long to write rests for three times as long, and closing ends the rest", async () => {
  const clock = new ManualClock();
  const file = new SnapshotFile(path, clock, raise);
  const taking = (ms: number, text: string) => (): ReturnType<Payload> => {
    clock.advance(ms);
    return plain(text)();
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

test("what is large rests for the disk's sake, however fast it was", async () => {
  const clock = new ManualClock();
  const file = new SnapshotFile(path, clock, raise);
  await file.save(plain("x".repeat(2 * 1024 * 1024)));
  let isWritten = false;
  const next = file.save(plain("next")).then(() => (isWritten = true));
  await synced();
  clock.advance(31);
  await synced();
  expect(isWritten).toBe(false);
  clock.advance(1);
  await next;
  await file.close();
});

test("a power cut that keeps any pages of a write leaves this snapshot or the one before", async () => {
  const PAGE = 4_096;
  const image = new SnapshotImage(PAYLOAD_BYTES);
  const file = new SnapshotFile(path, systemClock, raise);
  const names = Array.from({ length: 60 }, (_, index) => `s${String(index)}`);
  const save = async (round: number): Promise<readonly [bytes: Buffer, text: string]> => {
    // Some stay where they are, some grow and move, some are new.
    const some = names.filter((_, index) => index % (round + 1) === 0);
    for (const name of some)
      image.set(name, Buffer.from(JSON.stringify({ name, round, pad: "x".repeat(round * 400) })));
    await file.save(() => image.take());
    return [readFileSync(path), file.read() ?? ""];
  };
  let [before, old] = await save(0);
  writeFileSync(`${path}.cut`, before);
  const cut = openSync(`${path}.cut`, "r+");
  for (let round = 1; round < 8; round += 1) {
    const [after, text] = await save(round);
    const changed = Array.from({ length: after.length / PAGE }, (_, page) => page * PAGE).filter(
      (at) => !after.subarray(at, at + PAGE).equals(before.subarray(at, at + PAGE)),
    );
    expect(changed.length).toBeGreaterThan(1);
    const put = (pages: readonly number[], from: Buffer): void => {
      for (const at of pages) writeSync(cut, from, at, PAGE, at);
    };
    const alone = changed.map((at) => [at]);
    const without = changed.map((at) => changed.filter((other) => other !== at));
    for (const kept of [...alone, ...without]) {
      put(kept, after);
      const found = new SnapshotFile(`${path}.cut`, systemClock, raise);
      expect([old, text]).toContain(found.read());
      await found.close();
      put(kept, before);
    }
    put(changed, after);
    [before, old] = [after, text];
  }
  closeSync(cut);
  await file.close();
  expect(JSON.parse(old)).toMatchObject({ version: 1 });
});

test("a torn slot falls back to the other", async () => {
  const file = new SnapshotFile(path, systemClock, raise);
  await file.save(plain(`first ${"x".repeat(50)}`));
  await file.save(plain(`second ${"x".repeat(50)}`));
  await file.close();
  tear(1);
  expect(await reopened()).toContain("first");
  tear(0);
  expect(await reopened()).toBeNull();
});

test("after a torn slot the whole one is not written over", async () => {
  const file = new SnapshotFile(path, systemClock, raise);
  await file.save(plain(`first ${"x".repeat(50)}`));
  await file.save(plain(`second ${"x".repeat(50)}`));
  await file.close();
  tear(1);
  const again = new SnapshotFile(path, systemClock, raise);
  await again.save(plain(`third ${"x".repeat(50)}`));
  await again.close();
  expect(await reopened()).toContain("third");
  tear(1);
  expect(await reopened()).toContain("first");
});

test("two processes that write in turn do not overwrite the newest", async () => {
  const old = new SnapshotFile(path, systemClock, raise);
  const young = new SnapshotFile(path, systemClock, raise);
  await old.save(plain(`old 1 ${"x".repeat(50)}`));
  await young.save(plain(`young 1 ${"x".repeat(50)}`));
  await old.save(plain(`old 2 ${"x".repeat(50)}`));
  await young.save(plain(`young 2 ${"x".repeat(50)}`));
  await old.close();
  await young.close();
  expect(await reopened()).toContain("young 2");
});

test("a write is over before it is on the disk, and says when it is", async () => {
  await using threads = new HeldThreads(folder);
  const file = new SnapshotFile(path, systemClock, raise);
  // Behind the write, and before what puts it on the disk.
  const { isDurable } = await file.save(() => {
    queueMicrotask(() => {
      threads.hold();
    });
    return plain("state")();
  });
  expect(file.read()).toBe("state");
  let isKnown = false;
  void isDurable.then(() => (isKnown = true));
  for (let times = 0; times < 50; times += 1) await turn();
  expect(isKnown).toBe(false);
  await threads.letGo();
  expect(await isDurable).toBe(true);
  await file.close();
});

test("what does not fit is known before it is written", () => {
  expect(SnapshotFile.fits(SLOT_BYTES)).toBe(false);
  expect(SnapshotFile.fits(1_000)).toBe(true);
});

test("what does not fit is not written, as it would tear both slots", async () => {
  const errors: unknown[] = [];
  const file = new SnapshotFile(path, systemClock, (error) => errors.push(error));
  await file.save(plain(`first ${"x".repeat(50)}`));
  await file.save(plain(`second ${"x".repeat(50)}`));
  await file.save(plain("x".repeat(SLOT_BYTES)));
  const { isDurable } = await file.save(plain("x".repeat(SLOT_BYTES)));
  expect(await isDurable).toBe(false);
  await file.close();
  expect(errors).toHaveLength(2);
  expect(await reopened()).toContain("second");
  expect(statSync(path).size).toBe(2 * SLOT_BYTES);
});
