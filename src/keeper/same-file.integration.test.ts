import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requiresNamespaces } from "../../test/requires.ts";
import { findTeal } from "./orphans.ts";
import { readCommandLine } from "./procfs.ts";

const pids = (root: string): readonly number[] => findTeal("proxy", root).map(({ pid }) => pid);

async function cleanUp(folder: string, started: readonly ChildProcess[]): Promise<void> {
  for (const child of started) {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(folder, { recursive: true });
}

test("a proxy whose namespace has another folder at the same path is not one of this state directory", async (context) => {
  requiresNamespaces(context);
  const folder = mkdtempSync(join(tmpdir(), "teal-same-"));
  const root = join(folder, "state");
  const script = join(folder, "proxy.mjs");
  writeFileSync(script, "setInterval(() => undefined, 1000);");
  const proxy = `exec "${process.execPath}" "${script}" '${JSON.stringify({ root })}'`;
  const started: ChildProcess[] = [];
  const start = (command: string, ...args: string[]): number => {
    const child = spawn(command, [...args, "sh", "-c", `mkdir -p "${root}" && ${proxy}`], { stdio: "ignore" });
    started.push(child);
    return child.pid ?? 0;
  };
  try {
    const own = start("env");
    // A file system of its own at the folder's path, in a mount namespace that ends with the process.
    const mount = `mount -t tmpfs none "${root}" && exec "$@"`;
    await expect.poll(() => pids(root), { timeout: 20_000 }).toEqual([own]);
    const other = start("unshare", "--mount", "sh", "-c", mount, "mount");
    await expect.poll(() => readCommandLine(other)[1] === script, { timeout: 20_000 }).toBe(true);
    expect(pids(root)).toEqual([own]);
  } finally {
    await cleanUp(folder, started);
  }
});

test("a proxy that was started by way of a link is found by the folder's own path, and the other way round", async () => {
  const folder = mkdtempSync(join(tmpdir(), "teal-same-"));
  const [own, link] = [join(folder, "own"), join(folder, "link")];
  mkdirSync(join(own, ".teal"), { recursive: true });
  mkdirSync(join(folder, "other", ".teal"), { recursive: true });
  symlinkSync(own, link);
  const script = join(folder, "proxy.mjs");
  writeFileSync(script, "setInterval(() => undefined, 1000);");
  const started = [own, link].map((path) =>
    spawn(process.execPath, [script, JSON.stringify({ root: join(path, ".teal") })], { stdio: "ignore" }),
  );
  const both = started.map(({ pid }) => pid).toSorted((a, b) => Number(a) - Number(b));
  const found = (path: string): readonly number[] => pids(join(folder, path, ".teal")).toSorted((a, b) => a - b);
  try {
    for (const path of ["own", "link"]) await expect.poll(() => found(path), { timeout: 20_000 }).toEqual(both);
    expect(found("other")).toEqual([]);
    expect(found("none")).toEqual([]);
  } finally {
    await cleanUp(folder, started);
  }
});
