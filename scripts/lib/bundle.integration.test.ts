import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bundle } from "./bundle.ts";
import { ROOT } from "./root.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "teal-bundle-"));
  mkdirSync(join(root, "src/main"), { recursive: true });
  mkdirSync(join(root, "node_modules"));
  symlinkSync(join(ROOT, "node_modules/yaml"), join(root, "node_modules/yaml"));
  cpSync(join(ROOT, "package.json"), join(root, "package.json"));
  write("keeper", `import { parse } from "yaml"; console.log(parse("a: 1"), require("node:os").EOL.length);`);
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(name: string, source: string): void {
  writeFileSync(join(root, `src/main/${name}.ts`), source);
}

it("makes single files that run from anywhere", async () => {
  const built = await bundle(root);
  expect(built).toMatchObject({ files: ["keeper.mjs"], version: expect.stringMatching(/^\d+\.\d+\.\d+-[0-9a-f]{8}$/) });
  const alone = join(root, "alone.mjs");
  cpSync(join(root, "dist/runtime/keeper.mjs"), alone);
  expect(spawnSync("node", [alone], { encoding: "utf8" }).stdout).toBe("{ a: 1 } 1\n");
  expect(readFileSync(join(root, "dist/THIRD-PARTY-NOTICES.txt"), "utf8")).toMatch(/^yaml \d/m);
});

it("does nothing when nothing has changed", async () => {
  await bundle(root);
  expect(await bundle(root)).toBeNull();
});

it("notices a changed source, a new process and a lost output", async () => {
  const first = await bundle(root);
  write("keeper", `console.log("changed");`);
  const second = await bundle(root);
  expect(second?.version).not.toBe(first?.version);
  write("proxy", `console.log("new");`);
  expect((await bundle(root))?.files).toEqual(["keeper.mjs", "proxy.mjs"]);
  rmSync(join(root, "dist/runtime/proxy.mjs"));
  expect((await bundle(root))?.files).toEqual(["keeper.mjs", "proxy.mjs"]);
});

it("keeps the version when only times have changed: the same code is the same runtime", async () => {
  const first = await bundle(root);
  utimesSync(join(root, "src/main/keeper.ts"), 1, 1);
  expect((await bundle(root))?.version).toBe(first?.version);
});

it("serves many at once", async () => {
  const built = await Promise.all([bundle(root), bundle(root), bundle(root)]);
  expect(new Set(built.map((version) => version?.version)).size).toBe(1);
  expect(await bundle(root)).toBeNull();
});
