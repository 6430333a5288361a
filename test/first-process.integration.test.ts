import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { allProcesses, readCommandLine } from "../src/keeper/procfs.ts";
import type { Finding } from "../src/main/doctor/finding.ts";
import { requires, requiresNamespaces, UNSHARE } from "./requires.ts";
import { Site } from "./site.ts";

const CLI = resolve(import.meta.dirname, "..", "bin", "teal.js");

/** `teal up` as the first process of namespaces of its own, as in a container; the network and the files are the machine's. */
class Container {
  readonly #unshare: ChildProcess;
  /** What it wrote to stderr. */
  said = "";
  readonly ended: Promise<unknown[]>;
  readonly #site: Site;
  #namespace = "";

  constructor(site: Site) {
    this.#site = site;
    const [file, ...options] = UNSHARE;
    this.#unshare = spawn(file, [...options, process.execPath, CLI, "up"], {
      cwd: site.dir,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.ended = once(this.#unshare, "exit");
    this.#unshare.stderr?.on("data", (chunk: Buffer) => (this.said += chunk.toString()));
  }

  static async up(site: Site): Promise<Container> {
    await using stack = new AsyncDisposableStack();
    const container = stack.use(new Container(site));
    await site.until("it is up", async () => {
      if (container.#unshare.exitCode !== null) throw new Error(`teal up: ${container.said}${await site.logs()}`);
      const { listeners } = await site.client.status();
      site.url = `http://${listeners[0]?.address ?? ""}`;
      return listeners.length > 0;
    });
    container.#namespace = namespaceOf(container.first);
    stack.move();
    return container;
  }

  /** Pid of its first process outside. */
  get first(): number {
    return allProcesses().find(({ parent }) => parent === this.#unshare.pid)?.pid ?? 0;
  }

  /** Command lines of all that runs in it, by the pid that each has inside. */
  get processes(): ReadonlyMap<number, string> {
    return new Map(this.#members.map((pid) => [innerPid(pid), readCommandLine(pid).join(" ")]));
  }

  get #members(): readonly number[] {
    return allProcesses().flatMap(({ pid }) => (namespaceOf(pid) === this.#namespace ? pid : []));
  }

  /** SIGKILL to what has this pid inside. */
  kill(inner: number): void {
    const pid = this.#members.find((member) => innerPid(member) === inner);
    if (pid === undefined) throw new Error(`no process ${String(inner)} in the container`);
    process.kill(pid, "SIGKILL");
  }

  /** What `docker exec … teal doctor` finds. */
  async doctor(nsenter: string): Promise<readonly Finding[]> {
    const inside = ["--target", String(this.first), "--pid", "--mount"];
    const run = spawn(
      nsenter,
      [...inside, process.execPath, CLI, "doctor", "--json", "--config", join(this.#site.dir, "teal.yaml")],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let printed = "";
    run.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    await once(run, "close");
    return (JSON.parse(printed) as { findings: readonly Finding[] }).findings;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unshare.kill("SIGKILL");
    await this.ended;
    // The kernel ends the rest of the namespace after its first process.
    if (this.#namespace !== "")
      await this.#site.until("all of it has ended", () => Promise.resolve(this.processes.size === 0));
  }
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${String(pid)}/ns/pid`);
  } catch {
    // It has ended meanwhile.
    return "";
  }
}

/** Its pid in the innermost namespace (proc_pid_status(5), NSpid). */
function innerPid(pid: number): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
    return Number(/^NSpid:.*\s(\d+)$/m.exec(status)?.[1]);
  } catch {
    return 0;
  }
}

const served = async (site: Site): Promise<string> =>
  (await fetch(site.url, { signal: AbortSignal.timeout(20_000) })).text();

/** Every app that is on record runs in the container as what it should be, and nothing else does beside Teal. */
async function appsStand(site: Site, container: Container): Promise<void> {
  const { processes } = container;
  const apps = [...processes].filter(([, command]) => command.endsWith("node server.js")).map(([pid]) => pid);
  expect(apps.toSorted((a, b) => a - b)).toEqual(await site.appPids());
}

test("as the first process teal up warns, serves, and ends all of it in order at SIGTERM", async (context) => {
  requiresNamespaces(context);
  await using site = await Site.create();
  await using container = await Container.up(site);
  expect(container.said).toMatch(/first process here \(PID 1\).*\n.*docker run --init/);
  expect((await site.deployed("v1")).state).toBe("completed");
  expect(await served(site)).toContain("v1");
  await appsStand(site, container);
  process.kill(container.first, "SIGTERM");
  expect(await container.ended).toEqual([0, null]);
  expect(container.processes.size).toBe(0);
  expect(existsSync(site.paths.keeperRecord)).toBe(false);

  await using next = await Container.up(site);
  expect(await served(site)).toContain("v1");
  await appsStand(site, next);
});

test("keeper and proxy come back in a container, and doctor counts the zombie that its first process leaves", async (context) => {
  requiresNamespaces(context);
  const nsenter = requires(context, "nsenter");
  await using site = await Site.create();
  await using container = await Container.up(site);
  expect((await site.deployed("v1")).state).toBe("completed");
  const apps = await site.appPids();
  const { keeper, proxies } = await site.pids();
  container.kill(keeper);
  await site.until("another keeper answers", async () => (await site.pids()).keeper !== keeper);
  for (const proxy of proxies) container.kill(proxy);
  await site.until("another proxy serves", async () =>
    (await site.pids()).proxies.some((pid) => !proxies.includes(pid)),
  );
  expect(await served(site)).toContain("v1");
  expect(await site.appPids()).toEqual(apps);
  const zombies = (await container.doctor(nsenter)).find(({ check }) => check === "zombies");
  expect(zombies).toMatchObject({ state: "warning", message: expect.stringMatching(/^1: /) });
});

test("after a container was killed the next one on its state directory adopts nothing by the pids on record", async (context) => {
  requiresNamespaces(context);
  await using site = await Site.create();
  {
    await using container = await Container.up(site);
    expect((await site.deployed("v1")).state).toBe("completed");
    await appsStand(site, container);
  }
  // Small numbers come again in the next container. Here each is one that is there for certain.
  const record = await readFile(site.paths.keeperRecord, "utf8");
  expect(record).toMatch(/"pid":\d+/);
  await writeFile(site.paths.keeperRecord, record.replaceAll(/"pid":\d+/g, '"pid":1'));
  await using next = await Container.up(site);
  await site.until("the release of before serves", async () => (await served(site)).includes("v1"));
  await site.until("every instance runs", async () => (await site.appPids()).length === 2);
  await appsStand(site, next);
  expect((await site.pids()).proxies).not.toContain(1);
  process.kill(next.first, "SIGTERM");
  expect(await next.ended).toEqual([0, null]);
});
