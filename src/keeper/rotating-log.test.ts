import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../main/clock.ts";
import { RotatingLog } from "./rotating-log.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-log-"));
  path = join(folder, "deep", "app.log");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const LIMITS = { maxBytes: 1_000, files: 3, maxPending: 100_000 };
const textOf = (file: string): string[] =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.slice(25));

test("lines have the time in front, in order", async () => {
  const log = new RotatingLog(path, { ...systemClock, now: () => 0 });
  log.write("one");
  log.write("two");
  await log.close();
  expect(readFileSync(path, "utf8")).toBe("1970-01-01T00:00:00.000Z one\n1970-01-01T00:00:00.000Z two\n");
});

test("rotates by size and keeps so many files", async () => {
  for (let number = 0; number < 60; number += 1) {
    const log = new RotatingLog(path, systemClock, LIMITS);
    log.write(`line ${String(number)} ${"x".repeat(50)}`);
    await log.close();
  }
  expect(readdirSync(join(folder, "deep")).toSorted()).toEqual(["app.log", "app.log.1", "app.log.2"]);
  const all = ["app.log.2", "app.log.1", "app.log"].flatMap((name) => textOf(join(folder, "deep", name)));
  const numbers = all.map((text) => Number(text.split(" ")[1]));
  expect(numbers.at(-1)).toBe(59);
  expect(numbers).toEqual(numbers.map((_, index) => 60 - numbers.length + index));
});

test("a disk that refuses costs lines, which are counted, and nobody waits", async () => {
  rmSync(folder, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), "teal-log-"));
  path = join(folder, "app.log");
  // Every write to it fails with ENOSPC: full(4).
  symlinkSync("/dev/full", path);
  const log = new RotatingLog(path, systemClock, LIMITS);
  log.write("lost");
  await log.settled();
  rmSync(path);
  // Not tried before the disk has had a second to recover.
  log.write("kept");
  await expect
    .poll(() => existsSync(path) && textOf(path), { timeout: 5_000 })
    .toEqual(["[teal] 1 line was dropped: ENOSPC: no space left on device, write", "kept"]);
  await log.close();
});

test("more than may wait is dropped and counted", async () => {
  const log = new RotatingLog(path, systemClock, { ...LIMITS, maxPending: 60 });
  for (let number = 0; number < 10; number += 1) log.write("x".repeat(20));
  await log.close();
  const lines = textOf(path);
  // One is being written, one waits.
  expect(lines.filter((text) => text.startsWith("x"))).toHaveLength(2);
  expect(lines).toContain("[teal] 8 lines were dropped: the disk is too slow");
});
