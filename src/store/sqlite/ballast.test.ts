import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary.ts";
import { Ballast } from "./ballast.ts";

const BYTES = 64 * 1024;

test("takes real room, gives it back, and returns when there is room again", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "ballast");
  let now = 0;
  let free = 10 * BYTES;
  const ballast = new Ballast(path, { bytes: BYTES, monotonic: () => now, freeBytes: () => free });
  expect(ballast.there).toBe(false);
  expect(ballast.ensure()).toBe(true);
  expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(BYTES);

  expect(ballast.drop()).toBe(true);
  expect(existsSync(path)).toBe(false);
  expect(ballast.drop()).toBe(false);

  free = BYTES;
  now += 60_000;
  expect(ballast.ensure()).toBe(false);
  free = 3 * BYTES;
  expect(ballast.ensure()).toBe(false); // looked a moment ago
  now += 60_000;
  expect(ballast.ensure()).toBe(true);
  expect(new Ballast(path, { bytes: BYTES, monotonic: () => now }).there).toBe(true);
});

test("a half-made one does not count, and one that cannot be made leaves nothing", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "ballast");
  writeFileSync(path, "short");
  expect(new Ballast(path, { bytes: BYTES, monotonic: () => 0 }).there).toBe(false);
  const nowhere = new Ballast(join(folder.path, "no", "ballast"), {
    bytes: BYTES,
    monotonic: () => 0,
    freeBytes: () => 10 * BYTES,
  });
  expect(nowhere.ensure()).toBe(false);
  expect(nowhere.drop()).toBe(false);
});
