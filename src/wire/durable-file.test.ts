import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolder, replaceFile } from "./durable-file.ts";

// That it is durable is shown by a power cut: test/durable-writes.integration.test.ts.

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-durable-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("a file is replaced, for this user alone, and nothing is left beside it", async () => {
  const path = join(folder, "file.json");
  await replaceFile(path, "one, which is longer");
  await replaceFile(path, Buffer.from("two"));
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["file.json"]);
});

test("what cannot be replaced stays as it was", async () => {
  const path = join(folder, "file.json");
  await replaceFile(path, "one");
  await makeFolder(`${path}.new`);
  await expect(replaceFile(path, "two")).rejects.toMatchObject({ code: "EISDIR" });
  expect(readFileSync(path, "utf8")).toBe("one");
});

test("a folder is made with those above it; one that is there is left as it is", async () => {
  const path = join(folder, "a", "b", "c");
  await makeFolder(path, 0o700);
  await makeFolder(path, 0o755);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  await makeFolder(join(folder, "a", "d"));
  expect(readdirSync(join(folder, "a"))).toEqual(["b", "d"]);
});
