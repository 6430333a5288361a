import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureStateDirectory, stateDirectoryProblem } from "./state-directory.ts";
import { temporaryFolder } from "./temporary.ts";

test("others may pass through a state directory, and not look into it", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a", ".teal");
  expect(ensureStateDirectory(path)).toEqual({ warnings: [] });
  expect(statSync(path).mode & 0o777).toBe(0o711);
  expect(stateDirectoryProblem(path)).toBeNull();
});

test.each([
  ["NFS", 0x6969],
  ["CIFS", 0xff534d42],
  ["CIFS", 0xff534d42 - 2 ** 32],
  ["SMB2", 0xfe534d42],
])("%s is refused, also when its number comes signed", (name, type) => {
  using folder = temporaryFolder();
  expect(() => ensureStateDirectory(folder.path, () => type)).toThrow(
    expect.objectContaining({ code: "state-directory", message: expect.stringContaining(`on ${name}, a network`) }),
  );
});

test.each([
  ["9p", 0x01021997],
  ["FUSE", 0x65735546],
])("%s is used with a warning", (name, type) => {
  using folder = temporaryFolder();
  expect(ensureStateDirectory(folder.path, () => type).warnings).toEqual([expect.stringContaining(`on ${name};`)]);
});

test("a file in its place is refused", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, ".teal");
  writeFileSync(path, "");
  expect(() => ensureStateDirectory(path)).toThrow(expect.objectContaining({ code: "state-directory" }));
});
