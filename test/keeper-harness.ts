import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { isAlive } from "../src/wire/process-stat.ts";
import { KEEPER_PROTOCOL, type InstanceReport, type InstanceSpec, type KeeperProtocol } from "../src/wire/keeper.ts";
import type { KeeperLaunch } from "../src/wire/launch.ts";
import { StatePaths } from "../src/wire/paths.ts";
import { ReconnectingPeer } from "../src/wire/reconnecting.ts";

const source = (path: string): string => fileURLToPath(new URL(`../src/${path}`, import.meta.url));
const KEEPER = source("main/keeper.ts");

/** Stands in for server.mjs: runs until it is told to end; ends with 78 while the file `refuse` is there. */
const SERVER = `
import { existsSync } from "node:fs";
const { root } = JSON.parse(process.argv[2]);
if (existsSync(root + "/refuse")) process.exit(78);
process.on("SIGTERM", () => process.exit(0));
setInterval(() => undefined, 1000);
`;

/**
 * Stands in for proxy.mjs: answers its pid, and its settings in a field, on every descriptor it was given; drains by ending. On SIGUSR2 it starts a
 * keeper on its spare descriptors, as the data plane does when the keeper has died.
 */
const PROXY = `
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { PeerServer } from ${JSON.stringify(source("wire/connect.ts"))};
import { PROXY_PROTOCOL } from ${JSON.stringify(source("wire/proxy.ts"))};
import { StatePaths } from ${JSON.stringify(source("wire/paths.ts"))};
const launch = JSON.parse(process.argv[2]);
const paths = new StatePaths(launch.root);
const servers = launch.listeners.flatMap(({ fds }) => fds.map((fd) => createServer((_, response) => {
  response.setHeader("connection", "close").setHeader("settings", JSON.stringify(launch.settings)).end(String(process.pid));
}).listen({ fd })));
const unknown = () => { throw new Error("the stand-in does not do this"); };
const handlers = {
  ...Object.fromEntries(Object.keys(PROXY_PROTOCOL.calls).map((call) => [call, unknown])),
  ping: () => ({ epoch: "1", pid: process.pid, draining: false }),
  drain: () => {
    let open = servers.length;
    for (const server of servers) server.close(() => { open -= 1; if (open === 0) setTimeout(() => process.exit(0), 50); });
    return {};
  },
};
await PeerServer.listen(paths.proxySocket(process.pid), PROXY_PROTOCOL, handlers);
process.on("SIGUSR2", () => {
  const inherited = launch.listeners.map(({ listen, address }, index) => ({ listen, address, fd: 3 + index }));
  const keeper = { root: launch.root, runtime: launch.runtime, config: launch.config, inherited, settings: launch.settings };
  spawn(process.execPath, [${JSON.stringify(KEEPER)}, JSON.stringify(keeper)], {
    detached: true, stdio: ["ignore", "ignore", "ignore", ...launch.listeners.map(({ spare }) => spare)],
  });
});
`;

export const HEALTH: InstanceSpec["health"] = {
  path: "/health",
  status: 200,
  intervalMs: 100,
  timeoutMs: 1_000,
  healthyAfter: 2,
  unhealthyAfter: 3,
  deadlineMs: 30_000,
};

/** Longest wait for anything; only a broken product comes near. */
export const PATIENCE = { timeout: 30_000, interval: 25 };

/** A real keeper in a state directory of its own, with stand-ins for proxy and server. */
export class KeeperHarness {
  readonly folder = mkdtempSync(join(tmpdir(), "teal-keeper-"));
  readonly paths = new StatePaths(join(this.folder, ".teal"));
  readonly keeper = new ReconnectingPeer<KeeperProtocol>({
    path: this.paths.keeperSocket,
    protocol: KEEPER_PROTOCOL,
    down: "keeper-down",
  });
  readonly #pids = new Set<number>();

  constructor() {
    mkdirSync(this.#runtime);
    writeFileSync(join(this.#runtime, "server.mjs"), SERVER);
    writeFileSync(join(this.#runtime, "proxy.mjs"), PROXY);
    writeFileSync(join(this.folder, "teal.yaml"), "");
  }

  get #runtime(): string {
    return join(this.folder, "runtime");
  }

  /** Starts a keeper as the command line does. */
  spawn(): ChildProcess {
    const launch: KeeperLaunch = {
      root: this.paths.root,
      runtime: this.#runtime,
      config: join(this.folder, "teal.yaml"),
      inherited: [],
    };
    return spawn(process.execPath, [KEEPER, JSON.stringify(launch)], {
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  /** Starts a keeper and waits until it answers; its pid. */
  async start(): Promise<number> {
    const child = this.spawn();
    child.unref();
    child.stderr?.resume();
    await expect.poll(() => this.pid().catch(() => null), PATIENCE).toBe(child.pid);
    return this.pid();
  }

  /** Pid of the keeper that answers; all that it runs is noted, to be ended in any case. */
  async pid(): Promise<number> {
    const { pid, proxies, server } = await this.keeper.call("status", {}, { timeoutMs: 20_000 });
    for (const known of [pid, server.pid, ...proxies.map((proxy) => proxy.pid)])
      if (known !== null) this.#pids.add(known);
    return pid;
  }

  /** A second keeper that must not run: its exit code and what it says. */
  async refused(): Promise<{ code: number | null; said: string }> {
    const child = this.spawn();
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, said };
  }

  /** Writes an app; its command. */
  app(name: string, code: string): string[] {
    const file = join(this.folder, `${name}.mjs`);
    writeFileSync(file, code);
    return [process.execPath, file];
  }

  spec(name: string, command: string[], more: Partial<InstanceSpec> = {}): InstanceSpec {
    const id = `web/${name}/v1/0`;
    return {
      id,
      service: "web",
      environment: name,
      release: "v1",
      ordinal: 0,
      command,
      directory: this.folder,
      variables: { PATH: process.env["PATH"] ?? "", TEAL_INSTANCE: id, SECRET: "hunter2" },
      user: null,
      stop: { signal: "SIGTERM", timeoutMs: 5_000 },
      health: HEALTH,
      ...more,
    };
  }

  async startInstance(spec: InstanceSpec): Promise<InstanceReport> {
    const { instances } = await this.keeper.call("instances.start", { instances: [spec] });
    return this.#noted(instances[0], spec.id);
  }

  async instance(id: string): Promise<InstanceReport | undefined> {
    const { instances } = await this.keeper.call("instances.list", {});
    const found = instances.find((instance) => instance.id === id);
    return found === undefined ? undefined : this.#noted(found, id);
  }

  async untilState(id: string, state: InstanceReport["state"]): Promise<InstanceReport> {
    await expect.poll(async () => (await this.instance(id))?.state, PATIENCE).toBe(state);
    return this.#noted(await this.instance(id), id);
  }

  logOf(environment: string): string {
    const path = join(this.paths.logs, "web", environment, "v1.0.log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Takes everything down, and throws when a process is left that the product should have ended. */
  async close(): Promise<void> {
    const running = existsSync(this.paths.keeperSocket);
    const down =
      !running ||
      (await this.keeper.call("down", { drainMs: 1_000 }, { timeoutMs: 15_000 }).then(
        () => true,
        () => false,
      ));
    this.keeper.close();
    const left = (): number[] => [...this.#pids].filter(isAlive);
    try {
      if (down) await expect.poll(left, { timeout: 5_000 }).toEqual([]);
    } finally {
      for (const pid of left()) process.kill(pid, "SIGKILL");
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  #noted(report: InstanceReport | undefined, id: string): InstanceReport {
    if (report === undefined) throw new Error(`the keeper does not know ${id}`);
    if (report.pid !== null) this.#pids.add(report.pid);
    return report;
  }
}

/** A web app that answers 200 to everything, with its environment as JSON. */
export const WEB_APP = `
import { createServer } from "node:http";
createServer((_, response) => {
  response.setHeader("connection", "close").end(JSON.stringify({ env: process.env, pid: process.pid }));
}).listen(Number(process.env.PORT), "127.0.0.1");
`;
