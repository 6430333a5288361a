import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { requires } from "./requires.ts";
import { Site } from "./site.ts";

function analyze(program: string, ...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((done) => {
    execFile(program, args, { timeout: 60_000 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : 1, said: stdout + stderr });
    });
  });
}

/** proc_pid_status(5): whether the process has a handler for SIGTERM, signal 15. */
async function catchesTerm(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${String(pid)}/status`, "utf8");
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return (caught & (1n << 14n)) !== 0n;
}

test("systemd has nothing to say against the unit, and rates its exposure as documented", async (context) => {
  const program = requires(context, "systemd-analyze");
  const folder = await mkdtemp(join(tmpdir(), "teal unit-"));
  try {
    const site = resolve(import.meta.dirname, "..", "examples", "web-node", "teal.yaml");
    await using made = await Site.create();
    const { code, stdout } = await made.cli("systemd", "--user", "daemon", "--config", site);
    expect(code).toBe(0);
    const file = join(folder, "teal.service");
    await writeFile(file, stdout);
    expect(await analyze(program, "verify", "--man=no", file)).toEqual({ code: 0, said: "" });
    await writeFile(file, stdout.replace("KillMode=process", "KillMode=proces"));
    expect((await analyze(program, "verify", "--man=no", file)).said).toContain("kill mode");
    await writeFile(file, stdout);
    const rated = await analyze(program, "security", "--offline=yes", "--threshold=30", file);
    expect(rated).toMatchObject({ code: 0, said: expect.stringContaining("exposure level") });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("what the unit starts stays where Teal runs already; without it apps and traffic go on; it comes back and stops all", async () => {
  await using site = await Site.up();
  expect((await site.deployed("v1")).state).toBe("completed");
  const apps = await site.appPids();

  const first = site.spawn("up", "--stay", "--json");
  const line = await once(first.stdout ?? first, "data");
  expect(String(line[0])).toContain('"already":true');
  first.kill("SIGKILL");
  await once(first, "exit");
  expect((await fetch(`${site.url}/`)).status).toBe(200);
  expect(await site.appPids()).toEqual(apps);

  const second = site.spawn("up", "--stay", "--json");
  await once(second.stdout ?? second, "data");
  await site.until("it takes SIGTERM", () => catchesTerm(second.pid ?? 0));
  second.kill("SIGTERM");
  expect(await once(second, "exit")).toEqual([0, null]);
  await expect(fetch(`${site.url}/`)).rejects.toThrow("fetch failed");
});

test("when all of Teal is killed the unit's process fails, so that systemd starts it again", async () => {
  await using site = await Site.up();
  expect((await site.deployed("v1")).state).toBe("completed");
  const watching = site.spawn("up", "--stay", "--json");
  await once(watching.stdout ?? watching, "data");
  const ended = once(watching, "exit");
  const { keeper, proxies, server } = await site.pids();
  for (const pid of [keeper, ...proxies, server ?? 0]) process.kill(pid, "SIGSTOP");
  for (const pid of [keeper, ...proxies, server ?? 0]) process.kill(pid, "SIGKILL");
  expect((await ended)[0]).toBe(1);
  await site.start();
  expect((await site.service()).traffic).toMatchObject({ blue: 100 });
});
