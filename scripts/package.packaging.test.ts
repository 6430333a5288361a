import { execFile, spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { installRuntime } from "../src/main/runtime.ts";
import { importsOf } from "./lib/imports.ts";
import { ROOT } from "./lib/root.ts";

const execute = promisify(execFile);
const manifestSchema = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

let folder: string;
/** The installed package's own folder. */
let installed: string;
/** The `teal` that the install put in place. */
let teal: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "teal-package-"));
  const { stdout } = await execute("npm", ["pack", "--json", "--silent", "--pack-destination", folder], { cwd: ROOT });
  const [packed] = z
    .array(z.object({ filename: z.string() }))
    .min(1)
    .parse(JSON.parse(stdout));
  const tarball = join(folder, packed?.filename ?? "");
  const options = ["--omit=dev", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  await execute("npm", ["install", "-g", "--prefix", folder, ...options, tarball], { cwd: folder });
  installed = join(folder, "lib/node_modules/teal");
  teal = join(folder, "bin/teal");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function manifest(): Promise<z.output<typeof manifestSchema>> {
  return manifestSchema.parse(JSON.parse(await readFile(join(installed, "package.json"), "utf8")));
}

describe("the installed package", () => {
  it("says its version, and what it can do, from another folder", async () => {
    const { stdout: version } = await execute(teal, ["--version"], { cwd: folder });
    expect(version.trim()).toBe((await manifest()).version);
    const { stdout: help } = await execute(teal, ["--help"], { cwd: folder });
    expect(help).toMatch(/deploy/);
  });

  it("carries no sources and no tests", () => {
    expect(globSync("**/*.{test.js,test.mjs,ts}", { cwd: installed, exclude: ["node_modules/**"] })).toEqual([]);
    expect(globSync("dist/runtime/*", { cwd: installed }).map((path) => basename(path))).toContain("VERSION.json");
  });

  it("lists as dependencies exactly what its modules import", async () => {
    const imported = globSync("dist/**/*.js", { cwd: installed })
      .flatMap((file) => importsOf(installed, file))
      .filter(({ specifier }) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
      .map(({ specifier }) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier)
      .filter((name) => !builtinModules.includes(name));
    expect([...new Set(imported)].toSorted()).toEqual(Object.keys((await manifest()).dependencies).toSorted());
  });

  it("carries bundles that stand alone: they parse, and can be copied to a state directory", async () => {
    const runtime = await installRuntime(join(installed, "dist/runtime"), join(folder, "state"));
    const bundles = globSync("*.mjs", { cwd: runtime });
    expect(bundles.length).toBeGreaterThan(0);
    for (const name of bundles) {
      const packages = importsOf(runtime, name).filter(({ specifier }) => !specifier.startsWith("node:"));
      expect(packages.filter(({ specifier }) => !builtinModules.includes(specifier))).toEqual([]);
      await execute("node", ["--check", join(runtime, name)]);
    }
  });
});

/** Free ports, no app: nothing is deployed. */
const CONFIG = `version: 1
proxy: { listen: ["127.0.0.1:0"] }
services: { web: { environment: { driver: process, command: "true" }, health: { path: / } } }
`;

describe("its processes", () => {
  it("run without the checkout: up, status, down", async () => {
    const cwd = join(folder, "site");
    await mkdir(cwd);
    await writeFile(join(cwd, "teal.yaml"), CONFIG);
    const options = { cwd, env: { PATH: process.env["PATH"], HOME: folder }, timeout: 60_000 };
    try {
      await execute(teal, ["up", "--detach"], options);
      const { stdout } = await execute(teal, ["status", "--json"], options);
      expect(JSON.parse(stdout)).toMatchObject({ services: [{ service: "web", active: null }] });
    } finally {
      await execute(teal, ["down", "--yes"], options);
    }
  });
});

describe("on a Node that is too old", () => {
  it("prints one line that says so, and exits with 2", (test) => {
    const old = oldNode() ?? test.skip("no Node older than 24 is installed");
    const { status, stdout, stderr } = spawnSync(old, [join(installed, "bin/teal.js"), "--version"], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^teal needs Node\.js 24 or newer; this is v\d+\.\d+\.\d+ \(.+\)\.\n$/);
  });
});

/** The system's own Node, where it is older than the ones that Teal runs on; null: there is none. */
function oldNode(): string | null {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"];
  for (const path of folders.map((each) => join(each, "node"))) {
    const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
    const major = Number(/^v(\d+)\./.exec(stdout ?? "")?.[1]);
    if (major < 24) return path;
  }
  return null;
}
