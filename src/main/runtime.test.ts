import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashOf } from "./runtime-version.ts";
import { installRuntime, pruneRuntimes } from "./runtime.ts";

const FILES = ["keeper.mjs", "proxy.mjs"];
const IN_TWO_HOURS = Date.now() + 7_200_000;
let folder: string;
let source: string;
let state: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "teal-runtime-"));
  source = join(folder, "package");
  state = join(folder, "state", "runtime");
});
afterEach(() => rm(folder, { recursive: true }));

/** A package's runtime folder, as scripts/bundle.ts leaves it. */
async function release(code: string): Promise<string> {
  await mkdir(source, { recursive: true });
  for (const name of FILES) await writeFile(join(source, name), `// ${name}: ${code}`);
  const hash = await hashOf(source, FILES);
  const version = `1.2.3-${hash.slice(0, 8)}`;
  await writeFile(join(source, "VERSION.json"), JSON.stringify({ version, hash, files: FILES }));
  return version;
}

describe("installRuntime", () => {
  it("copies the bundles to a folder named after their version", async () => {
    const version = await release("one");
    const installed = await installRuntime(source, state);
    expect(installed).toBe(join(state, version));
    expect(await readFile(join(installed, "proxy.mjs"), "utf8")).toBe("// proxy.mjs: one");
    expect(await readdir(state)).toEqual([version]);
  });

  it("touches nothing when the version is there", async () => {
    await release("one");
    const installed = await installRuntime(source, state);
    const before = await stat(join(installed, "keeper.mjs"));
    expect(await installRuntime(source, state)).toBe(installed);
    expect((await stat(join(installed, "keeper.mjs"))).ino).toBe(before.ino);
  });

  it("leaves the version that a process may run from as it is when the package changes", async () => {
    await release("one");
    const first = await installRuntime(source, state);
    await release("two");
    const second = await installRuntime(source, state);
    expect(second).not.toBe(first);
    expect(await readFile(join(first, "keeper.mjs"), "utf8")).toBe("// keeper.mjs: one");
  });

  it("gives one intact folder to many who install at once", async () => {
    const version = await release("one");
    const folders = await Promise.all(Array.from({ length: 8 }, () => installRuntime(source, state)));
    expect(new Set(folders)).toEqual(new Set([join(state, version)]));
    expect(await readdir(state)).toEqual([version]);
  });

  it("replaces a copy that lost a file", async () => {
    await release("one");
    const installed = await installRuntime(source, state);
    await rm(join(installed, "proxy.mjs"));
    await installRuntime(source, state);
    expect(await readFile(join(installed, "proxy.mjs"), "utf8")).toBe("// proxy.mjs: one");
  });

  it("refuses bundles that are not those that VERSION.json names, and leaves no copy", async () => {
    await release("one");
    await writeFile(join(source, "proxy.mjs"), "// tampered");
    await expect(installRuntime(source, state)).rejects.toMatchObject({ code: "internal" });
    expect(await readdir(state)).toEqual([]);
  });

  it("says what is wrong with a package without bundles", async () => {
    await expect(installRuntime(source, state)).rejects.toThrow(/VERSION\.json is missing or damaged/);
  });

  it("says that the state directory cannot be written", async () => {
    await release("one");
    await mkdir(join(folder, "state"));
    await writeFile(state, "a file where the folder should be");
    await expect(installRuntime(source, state)).rejects.toMatchObject({ code: "state-directory" });
  });
});

describe("pruneRuntimes", () => {
  it("removes what no process uses, and what an interrupted copy left behind", async () => {
    const old = await release("one");
    await installRuntime(source, state);
    const current = await release("two");
    await installRuntime(source, state);
    await mkdir(join(state, ".new-abc"));
    expect([...(await pruneRuntimes(state, [current], IN_TWO_HOURS))].toSorted()).toEqual([".new-abc", old].toSorted());
    expect(await readdir(state)).toEqual([current]);
  });

  it("leaves what was installed just now: its process may be about to start", async () => {
    const version = await release("one");
    await installRuntime(source, state);
    expect(await pruneRuntimes(state, [])).toEqual([]);
    expect(await readdir(state)).toEqual([version]);
  });

  it("has nothing to do where nothing was installed", async () => {
    expect(await pruneRuntimes(join(folder, "none"), [])).toEqual([]);
  });
});
