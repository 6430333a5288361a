import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bringUpToDate, type Generated } from "./generated.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "teal-generated-"));
});
afterEach(() => rm(root, { recursive: true }));

const FILES: readonly Generated[] = [{ path: "docs/a.json", content: `{"b":1}` }];

it("names a missing file, and writes it only when asked to", async () => {
  expect(await bringUpToDate(root, FILES, { checkOnly: true })).toEqual(["docs/a.json"]);
  expect(await bringUpToDate(root, FILES, { checkOnly: false })).toEqual(["docs/a.json"]);
  expect(await readFile(join(root, "docs/a.json"), "utf8")).toBe(`{ "b": 1 }\n`);
  expect(await bringUpToDate(root, FILES, { checkOnly: true })).toEqual([]);
});

it("names a file that was edited by hand", async () => {
  await bringUpToDate(root, FILES, { checkOnly: false });
  await writeFile(join(root, "docs/a.json"), `{ "b": 2 }\n`);
  expect(await bringUpToDate(root, FILES, { checkOnly: true })).toEqual(["docs/a.json"]);
});
