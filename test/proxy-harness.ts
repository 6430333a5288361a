import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, BoundSocket, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { MaintenanceOrder } from "../src/model/maintenance.ts";
import { PeerServer, connectPeer } from "../src/wire/connect.ts";
import { KEEPER_PROTOCOL, type KeeperProtocol } from "../src/wire/keeper.ts";
import type { ProxyLaunch } from "../src/wire/launch.ts";
import { proxySettings } from "../src/wire/shapes.ts";
import { StatePaths } from "../src/wire/paths.ts";
import type { Peer } from "../src/wire/peer.ts";
import type { Notice, Params, Result } from "../src/wire/protocol.ts";
import { PROXY_PROTOCOL, type ProxyProtocol, type ServiceTable } from "../src/wire/proxy.ts";
import { EMPTY_STATUS, standInKeeper } from "./stand-in-keeper.ts";

const PROXY = fileURLToPath(new URL("../src/main/proxy.ts", import.meta.url));
const FIRST_FD = 3;

/** Longest wait for anything; only a broken product comes near. */
export const PATIENCE = { timeout: 20_000, interval: 10 };

/** One app: a real HTTP server of this process. */
export class App {
  readonly server: Server;
  readonly #sockets = new Set<Socket>();
  /** Requests that it got, health checks left out. */
  requests = 0;
  health = 200;

  constructor(listener: RequestListener) {
    this.server = createServer((request, response) => {
      if (request.url === "/health") {
        response.writeHead(this.health).end();
        return;
      }
      this.requests += 1;
      listener(request, response);
    });
    this.server.keepAliveTimeout = 60_000;
    this.server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  async listen(port = 0): Promise<this> {
    this.server.listen(port, "127.0.0.1");
    await once(this.server, "listening");
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${String(this.port)}`;
  }

  /** As a crash does it: connections are reset, then refused. */
  async stop(): Promise<void> {
    const closed = this.server.listening ? once(this.server, "close") : Promise.resolve();
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** Real proxies on sockets that this test holds, as the keeper does, and a stand-in for the keeper. */
export class ProxyHarness {
  readonly folder = mkdtempSync(join(tmpdir(), "teal-proxy-"));
  readonly paths = new StatePaths(join(this.folder, ".teal"));
  readonly #bound = new BoundSocket({ host: "127.0.0.1", port: 0 });
  readonly #apps: App[] = [];
  readonly #children = new Map<number, ChildProcess>();
  readonly #draining = new Set<number>();
  readonly #peers = new Set<{ close(): void }>();
  #keeper: PeerServer<KeeperProtocol> | null = null;

  readonly port = (this.#bound.address() as { port: number }).port;
  readonly url = `http://127.0.0.1:${String(this.port)}`;

  constructor() {
    mkdirSync(this.paths.root, { recursive: true });
  }

  /** The keeper's side of what a driver and a proxy ask. */
  async startKeeper(): Promise<void> {
    const handlers = standInKeeper({ status: () => this.#status() });
    this.#keeper = await PeerServer.listen(this.paths.keeperSocket, KEEPER_PROTOCOL, handlers);
  }

  #status(): Result<KeeperProtocol, "status"> {
    const listen = `127.0.0.1:${String(this.port)}`;
    return {
      ...EMPTY_STATUS,
      runtime: this.folder,
      listeners: [{ listen, address: listen }],
      proxies: this.#rows(),
    };
  }

  #rows(): Notice<KeeperProtocol, "proxies">["proxies"] {
    return [...this.#children.keys()].map((pid) => ({
      pid,
      socket: this.paths.proxySocket(pid),
      draining: this.#draining.has(pid),
      startedAt: 0,
    }));
  }

  /** Starts a proxy and waits until it answers. */
  async startProxy(
    more: Partial<ProxyLaunch> = {},
    nodeOptions: readonly string[] = [],
  ): Promise<ChildProcess & { pid: number }> {
    const workers = more.workers ?? 2;
    const reserve = 1;
    const fds = Array.from({ length: workers + reserve }, (_, index) => FIRST_FD + index);
    const address = `127.0.0.1:${String(this.port)}`;
    const launch: ProxyLaunch = {
      root: this.paths.root,
      runtime: this.folder,
      config: join(this.folder, "teal.yaml"),
      workers,
      listeners: [{ listen: address, address, fds, spare: FIRST_FD + fds.length }],
      settings: proxySettings.parse({}),
      ...more,
    };
    const log = openSync(join(this.folder, "proxy.log"), "a");
    const stdio = ["ignore", log, log, ...fds.map(() => this.#bound.fd()), this.#bound.fd()] as const;
    const child = spawn(process.execPath, [...nodeOptions, PROXY, JSON.stringify(launch)], { stdio: [...stdio] });
    closeSync(log);
    await once(child, "spawn");
    const { pid } = child;
    if (pid === undefined) throw new Error("the proxy was not started");
    this.#children.set(pid, child);
    child.once("exit", () => {
      this.#children.delete(pid);
      this.#keeper?.notify("proxies", { proxies: this.#rows() });
    });
    await expect.poll(() => this.ping(pid), { ...PATIENCE, message: `the proxy answers; ${this.log}` }).toBe(pid);
    this.#keeper?.notify("proxies", { proxies: this.#rows() });
    return Object.assign(child, { pid });
  }

  get log(): string {
    return readFileSync(join(this.folder, "proxy.log"), "utf8");
  }

  async ping(pid: number): Promise<number | null> {
    try {
      const peer = await this.peer(pid);
      const answer = await peer.call("ping", {});
      peer.close();
      return answer.pid;
    } catch {
      return null;
    }
  }

  /** A control connection, closed at the end of the test. */
  async peer(
    pid: number,
    prepare: (peer: Peer<ProxyProtocol>) => void = () => undefined,
  ): Promise<Peer<ProxyProtocol>> {
    const peer = await connectPeer(this.paths.proxySocket(pid), PROXY_PROTOCOL, { down: "data-plane-down", prepare });
    this.#peers.add(peer);
    return peer;
  }

  markDraining(pid: number): void {
    this.#draining.add(pid);
    this.#keeper?.notify("proxies", { proxies: this.#rows() });
  }

  /** An app that answers its name unless told otherwise. */
  async app(name: string, listener?: RequestListener): Promise<App> {
    const app = await new App(listener ?? ((_, response) => void response.end(name))).listen();
    this.#apps.push(app);
    return app;
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.close();
    const children = [...this.#children.values()];
    for (const child of children) child.kill("SIGKILL");
    const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(running.map((child) => once(child, "exit")));
    await Promise.all(this.#apps.map((app) => app.stop()));
    await this.#keeper?.close();
    this.#bound.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const HEALTH: ServiceTable["health"] = {
  path: "/health",
  status: 200,
  intervalMs: 100,
  timeoutMs: 500,
  healthyAfter: 2,
  unhealthyAfter: 3,
  deadlineMs: 10_000,
};

export const TRAFFIC: ServiceTable["traffic"] = {
  driver: "embedded",
  hosts: [],
  paths: ["/"],
  drainMs: 5_000,
  longLivedMs: 10_000,
  onControllerLoss: "revert",
};

/** A table of `web` with one instance per app. */
export function tableOf(
  apps: Readonly<Record<string, readonly App[]>>,
  weights: Readonly<Record<string, number>>,
  more: Partial<ServiceTable> = {},
): ServiceTable {
  return {
    service: "web",
    fence: 1,
    generation: 1,
    deployment: null,
    weights,
    backends: Object.entries(apps).map(([environment, list]) => ({
      environment,
      release: "v1",
      instances: list.map((app, ordinal) => ({ id: `web/${environment}/v1/${String(ordinal)}`, address: app.address })),
    })),
    revertTo: null,
    traffic: TRAFFIC,
    health: HEALTH,
    ...more,
  };
}

/** An order of maintenance for `web`; a newer one needs a higher revision. */
export function maintenanceOf(
  mode: MaintenanceOrder["mode"],
  revision: number,
  more: Partial<MaintenanceOrder> & { readonly close?: boolean } = {},
): Params<ProxyProtocol, "maintain"> {
  const { close, ...order } = more;
  const plain = { until: null, endsIn: "off" as const, page: null, status: 503, retryAfterMs: 60_000 };
  return {
    service: "web",
    fence: 1,
    revision,
    close: close ?? false,
    order: { mode, ...plain, deadlineMs: 30_000, most: 1_000, ...order, allow: [...(order.allow ?? [])] },
  };
}

/** A module that makes one worker thread of a proxy throw once the file is there; for `--import`. */
export function crashHook(trigger: string): string {
  return `
import { existsSync, rmSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
if (!isMainThread) setInterval(() => {
  if (!existsSync(${JSON.stringify(trigger)})) return;
  rmSync(${JSON.stringify(trigger)});
  throw new Error("a fault in a worker");
}, 10);
`;
}
