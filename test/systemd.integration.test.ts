import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
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

interface Variant {
  readonly what: string;
  readonly user: string;
  readonly listen: string;
  /** Of the project, below the test's own folder. */
  readonly folder: string;
  /** What docs/operations.md says of `systemd-analyze security`. */
  readonly rating: RegExp;
}

const VARIANTS: readonly Variant[] = [
  { what: "a user", user: "daemon", listen: "127.0.0.1:8080", folder: "plain", rating: /rates it ([\d.]+) \("OK"\)/ },
  {
    what: "a port below 1024",
    user: "daemon",
    listen: "0.0.0.0:443",
    folder: "low",
    rating: /port below 1024 it has `CAP_NET_BIND_SERVICE`, and no other capability: ([\d.]+)\./,
  },
  {
    what: "root",
    user: "root",
    listen: "127.0.0.1:8080",
    folder: "root",
    rating: /root keeps its capabilities: ([\d.]+)\./,
  },
  {
    what: "blanks, dollars and percent signs in paths",
    user: "daemon",
    listen: "127.0.0.1:8080",
    folder: "a b 5% $HOME",
    rating: /rates it ([\d.]+) \("OK"\)/,
  },
];

const OPERATIONS = readFileSync(join(import.meta.dirname, "..", "docs", "operations.md"), "utf8");

test.for(VARIANTS)(
  "systemd has nothing to say against the unit of $what, and rates its exposure no worse than documented",
  async ({ user, listen, folder, rating }, context) => {
    const program = requires(context, "systemd-analyze");
    const place = await mkdtemp(join(tmpdir(), "teal unit-"));
    try {
      const project = join(place, folder);
      await cp(join(import.meta.dirname, "..", "examples", "web-node"), project, { recursive: true });
      const config = join(project, "teal.yaml");
      const example = parse(await readFile(config, "utf8")) as object;
      await writeFile(config, stringify({ ...example, proxy: { listen: [listen] } }));
      await using made = await Site.create();
      const { code, stdout, stderr } = await made.cli("systemd", "--user", user, "--config", config);
      expect([code, stderr]).toEqual([0, ""]);
      const file = join(place, "teal.service");
      await writeFile(file, stdout);
      expect(await analyze(program, "verify", "--man=no", file)).toEqual({ code: 0, said: "" });
      await writeFile(file, stdout.replace("KillMode=process", "KillMode=proces"));
      expect((await analyze(program, "verify", "--man=no", file)).said).toContain("kill mode");
      await writeFile(file, stdout);
      const rated = await analyze(program, "security", "--offline=yes", file);
      const level = /Overall exposure level for teal\.service: ([\d.]+) /.exec(rated.said)?.[1];
      const documented = rating.exec(OPERATIONS.replaceAll("\n", " "))?.[1];
      expect(Number(level)).toBeLessThanOrEqual(Number(documented));
      const [, page = ""] = /^Documentation=(.*)$/m.exec(stdout) ?? [];
      expect(await readFile(fileURLToPath(page.replaceAll("%%", "%")), "utf8")).toMatch(/^# Teal/m);
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  },
);

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
