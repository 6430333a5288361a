import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AccessLogFile } from "./access-log-file.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-access-"));
  path = join(folder, "logs", "access.log");
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

const make = (fileBytes = 100, files = 3): AccessLogFile =>
  new AccessLogFile({ path, fileBytes, files, clock: { now: () => 0 } });
const read = (suffix = ""): string => readFileSync(`${path}${suffix}`, "utf8");

test("lines are appended in order, in a folder that is made, and for its owner alone", async () => {
  const file = make();
  expect(await Promise.all([file.write("a\n", 1), file.write("b\nc\n", 2)])).toEqual([true, true]);
  await file.close();
  expect(read()).toBe("a\nb\nc\n");
});

test("a file is put aside before it grows too large, and the oldest goes", async () => {
  const file = make(10, 3);
  for (const text of ["11111\n", "22222\n", "33333\n", "44444\n"]) await file.write(text, 1);
  await file.close();
  expect([read(), read(".1"), read(".2"), existsSync(`${path}.3`)]).toEqual(["44444\n", "33333\n", "22222\n", false]);
});

test("two processes write to one file; the one that drains follows the other's new file and makes none", async () => {
  const [draining, serving] = [make(10), make(10)];
  await draining.write("old 1\n", 1);
  draining.stopRotating();
  await draining.write("old 2\n", 1);
  await serving.write("new 1\n", 1);
  await draining.write("old 3\n", 1);
  expect([read(), read(".1")]).toEqual(["new 1\nold 3\n", "old 1\nold 2\n"]);
  await Promise.all([draining.close(), serving.close()]);
});

test("a file that a person has moved away is made anew", async () => {
  const file = make();
  await file.write("a\n", 1);
  renameSync(path, `${path}.mine`);
  await file.write("b\n", 1);
  await file.close();
  expect([read(".mine"), read()]).toEqual(["a\n", "b\n"]);
});

test("what cannot be written is told, and counted in the log once it can", async () => {
  // A file where the folder should be: refused to anybody, root too.
  writeFileSync(join(folder, "logs"), "");
  const file = make(1_000);
  expect([await file.write("a\nb\n", 2), await file.write("c\n", 1)]).toEqual([false, false]);
  rmSync(join(folder, "logs"));
  mkdirSync(join(folder, "logs"));
  expect(await file.write("d\n", 1)).toBe(true);
  await file.write("e\n", 1);
  await file.close();
  const [note = "", ...rest] = read()
    .split("\n")
    .filter((line) => line !== "");
  expect(JSON.parse(note)).toMatchObject({ time: "1970-01-01T00:00:00.000Z", dropped: 3 });
  expect(rest).toEqual(["d", "e"]);
});
