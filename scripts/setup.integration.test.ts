import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { requires } from "../test/requires.ts";
import { ROOT } from "./lib/root.ts";

const SCRIPT = readFileSync(join(ROOT, "scripts/setup"), "utf8");
/** The script's own list: programs, with the packages that they come in. */
const NEEDED = [...SCRIPT.matchAll(/^([a-z0-9.-]+):([a-z0-9-]+) /gm)].map(([, program = "", pack = ""]) => ({
  program,
  pack,
}));
const PACKAGES = NEEDED.map(({ pack }) => pack).join(" ");
/** What the script itself calls. */
const TOOLS = ["sh", "tail", "mktemp", "rm", "chmod"];
let tools: string;

beforeEach((test) => {
  tools = mkdtempSync(join(tmpdir(), "teal-setup-"));
  for (const tool of TOOLS) symlinkSync(requires(test, tool), join(tools, tool));
});
afterEach(() => {
  rmSync(tools, { recursive: true });
});

function program(name: string, script: string): void {
  writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(tools, name), 0o755);
}

/** The set-up of a machine that has nothing on its PATH but what a test put there. */
function setup(): { status: number | null; stdout: string; stderr: string } {
  const script = SCRIPT.replaceAll(/\/usr\/sbin|:\/sbin/g, tools);
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script], { encoding: "utf8", env: { PATH: tools } });
  return { status, stdout, stderr };
}

it("says nothing when all is there", () => {
  expect(NEEDED.map((one) => one.program)).toEqual(expect.arrayContaining(["git", "ps", "haproxy"]));
  for (const one of NEEDED) program(one.program, "");
  expect(setup()).toEqual({ status: 0, stdout: "", stderr: "" });
});

it("says to somebody who is not root what is missing, and goes on", () => {
  program("id", "echo 1000");
  program("git", "");
  const missing = NEEDED.filter((one) => one.program !== "git");
  const programs = missing.map((one) => one.program).join(" ");
  const packages = missing.map(({ pack }) => pack).join(" ");
  expect(setup()).toEqual({
    status: 0,
    stdout: "",
    stderr: `setup: not installed: ${programs}. As root on Debian: apt-get install ${packages}\n`,
  });
});

it("installs as root, without a question and without starting a service", () => {
  program("id", "echo 0");
  program(
    "apt-get",
    `echo "$DEBIAN_FRONTEND $RUNLEVEL $(test -x ${tools}/policy-rc.d && echo held) $*" >>${tools}/asked`,
  );
  expect(setup()).toEqual({
    status: 0,
    stdout: `setup: installing ${PACKAGES}\n`,
    stderr: "",
  });
  const [update, install] = readFileSync(join(tools, "asked"), "utf8").trim().split("\n");
  expect(update).toMatch(/^noninteractive 1 held .* update$/);
  expect(install).toMatch(/^noninteractive 1 held .* install /);
  expect(install?.endsWith(` install ${PACKAGES}`)).toBe(true);
  expect(existsSync(join(tools, "policy-rc.d"))).toBe(false);
});

it("says why the packages could not be installed, and goes on", () => {
  program("id", "echo 0");
  program("apt-get", `echo "E: no network"; exit 100`);
  expect(setup()).toMatchObject({ status: 0, stderr: expect.stringMatching(/could not install .*\nE: no network\n$/) });
});
