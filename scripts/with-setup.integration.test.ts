import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ROOT } from "./lib/root.ts";

let root: string;

/** A checkout with one dependency, and on PATH an `npm` that notes what it was asked and installs what the lock names. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "teal-setup-"));
  for (const file of ["scripts/with-setup", "scripts/installed.js"]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(join(ROOT, file), join(root, file));
  }
  lock("1.0.0");
  program(
    "tools/npm",
    `echo "$* on $(command -v node)" >>${root}/asked
     mkdir -p node_modules/.bin && cp package-lock.json node_modules/.package-lock.json
     ln -sf ${process.execPath} node_modules/.bin/node`,
  );
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function lock(version: string): void {
  const packages = {
    "": { name: "teal" },
    "node_modules/a": { version, integrity: `sha512-${version}` },
    "node_modules/for-another-platform": { version: "1.0.0", optional: true },
  };
  writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages }));
}

function program(path: string, script: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), `#!/bin/sh\n${script}\n`);
  chmodSync(join(root, path), 0o755);
}

/** What with-setup's command printed; how often npm was asked is in {@link asked}. */
function withSetup(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const PATH = `${root}/node_modules/.bin:${root}/tools:${dirname(process.execPath)}:/usr/bin:/bin`;
  const { status, stdout, stderr } = spawnSync("sh", [join(root, "scripts/with-setup"), ...args], {
    cwd: tmpdir(),
    encoding: "utf8",
    env: { ...process.env, PATH },
  });
  return { status, stdout, stderr };
}

function asked(): readonly string[] {
  const file = join(root, "asked");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

it("installs on a bare checkout, by a Node outside node_modules, and runs the command on the one inside", () => {
  const ran = withSetup("sh", "-c", "command -v node; exit 7");
  expect(ran).toMatchObject({ status: 7, stdout: `${root}/node_modules/.bin/node\n` });
  expect(asked()).toHaveLength(1);
  expect(asked()[0]).toMatch(/^ci --include=dev .*on (?!.*node_modules\/\.bin)/);
});

it("does not ask npm again while the lock file is the same", () => {
  withSetup("true");
  expect(withSetup("true")).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(asked()).toHaveLength(1);
});

it("asks npm when the lock file names something else", () => {
  withSetup("true");
  lock("2.0.0");
  withSetup("true");
  expect(asked()).toHaveLength(2);
});

it("takes what `npm install` has brought up to date as it is", () => {
  withSetup("true");
  lock("2.0.0");
  cpSync(join(root, "package-lock.json"), join(root, "node_modules/.package-lock.json"));
  withSetup("true");
  expect(asked()).toHaveLength(1);
});

it("fails when npm does, and tries again the next time", () => {
  program("tools/npm", `echo asked >>${root}/asked; exit 1`);
  expect(withSetup("echo", "ran")).toMatchObject({ status: 1, stdout: "" });
  expect(withSetup("echo", "ran")).toMatchObject({ status: 1, stdout: "" });
  expect(asked()).toHaveLength(2);
});
