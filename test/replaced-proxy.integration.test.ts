import { readdir, utimes } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { LoadGenerator } from "../bench/lib/load-generator.ts";
import { connectPeer } from "../src/wire/connect.ts";
import { PROXY_PROTOCOL } from "../src/wire/proxy.ts";
import { OtherPackage } from "./other-package.ts";
import { Site } from "./site.ts";

const LONG_LIVED_MS = 40_000;
const SOCKETS = 3;

/** A client's WebSocket to the echo of the app. */
class Echo {
  readonly #socket: WebSocket;
  readonly closedAt: Promise<number>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    // A reset comes as an error before the close.
    socket.on("error", () => undefined);
    this.closedAt = new Promise((resolve) => {
      socket.on("close", () => {
        resolve(performance.now());
      });
    });
  }

  static async open(url: string): Promise<Echo> {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/echo`);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return new Echo(socket);
  }

  echo(message: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#socket.once("message", (data: Buffer) => {
        resolve(data.toString());
      });
      this.#socket.once("close", () => {
        reject(new Error("the socket was closed"));
      });
      this.#socket.send(message);
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}

async function requestsCounted(site: Site): Promise<number> {
  const metrics = await new Promise<string>((resolve, reject) => {
    const asking = request({ socketPath: site.paths.apiSocket, path: "/metrics" }, (response) => {
      text(response).then(resolve, reject);
    });
    asking.on("error", reject).end();
  });
  const rows = metrics.split("\n").filter((line) => line.startsWith("teal_proxy_requests_total{"));
  return rows.reduce((sum, row) => sum + Number(row.split(" ").at(-1)), 0);
}

async function generationOf(site: Site, pid: number): Promise<number | undefined> {
  const peer = await connectPeer(site.paths.proxySocket(pid), PROXY_PROTOCOL, { down: "data-plane-down" });
  try {
    return (await peer.call("observe", { service: "web" })).split?.generation;
  } finally {
    peer.close();
  }
}

test("WebSockets stay with the old proxy, a switch meanwhile reaches both, and kill -9 of the new keeper loses nothing", async () => {
  await using site = await Site.up({ traffic: { longLived: `${String(LONG_LIVED_MS / 1_000)}s` } });
  await using next = await OtherPackage.install("1.0.0");
  for (const version of ["v1", "v2"]) expect((await site.deployed(version)).state).toBe("completed");
  const load = new LoadGenerator({ url: site.url, rate: 60, mostMs: 600_000 });
  load.start();
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => Echo.open(site.url)));
  const [apps, before] = [await site.appPids(), await site.pids()];
  const counted: number[] = [await requestsCounted(site)];

  // Copies that are younger than an hour are kept: somebody may be about to start from one.
  const [old = ""] = await readdir(site.paths.runtime);
  await utimes(join(site.paths.runtime, old), 1, 1);

  const began = performance.now();
  expect(await site.cliOf(next.program, "up", "--yes", "--detach")).toMatchObject({ code: 0, stderr: "" });
  const { keeper, proxies } = await site.pids();
  process.kill(keeper, "SIGKILL");
  expect(proxies).toHaveLength(2);
  expect(proxies).toContain(before.proxies[0]);
  counted.push(await requestsCounted(site));
  const { active, standby } = await site.service();
  const { code, stdout } = await site.cli("switch", "--to", standby ?? "", "--yes", "--json");
  expect({ code, stdout }).toMatchObject({ code: 0 });
  for (const pid of proxies) expect(await generationOf(site, pid)).toBe((await site.service()).generation);
  for (const [index, socket] of sockets.entries()) expect(await socket.echo(`hello ${String(index)}`)).toMatch(/hello/);
  expect(performance.now() - began).toBeLessThan(LONG_LIVED_MS);
  counted.push(await requestsCounted(site));

  const after = await site.until("a new keeper of the new version", async () => {
    const now = await site.pids();
    return now.keeper !== keeper && now;
  });
  expect(after.proxies).toEqual(proxies);
  expect(await site.appPids()).toEqual(apps);
  const closed = await Promise.all(sockets.map(({ closedAt }) => closedAt));
  // They are closed in batches around the deadline, so that their clients do not all come back at once.
  for (const at of closed) expect(at - began).toBeGreaterThan(LONG_LIVED_MS * 0.8);
  await site.until("the old proxy has ended", async () => (await site.pids()).proxies.length === 1);
  await site.until("its bundles are gone", async () => (await readdir(site.paths.runtime)).join() === next.runtime);
  const replaced: unknown[] = [];
  for await (const { type, data } of site.client.events({ after: 0, follow: false }))
    if (type === "process-replaced") replaced.push(data);
  expect(replaced).toContainEqual({
    process: "proxy",
    pid: after.proxies.find((pid) => pid !== before.proxies[0]),
    before: before.proxies[0],
    runtime: next.runtime,
    cause: "replaced",
  });
  expect(replaced).toContainEqual(expect.objectContaining({ process: "keeper", pid: after.keeper }));

  // The receipt of the switch counts the sockets that the old proxy had, and what became of them.
  const receipt = await site.until("the final receipt", async () => {
    for await (const event of site.client.events({ after: 0, follow: false })) {
      const data = event.data as {
        from?: Record<string, number>;
        final?: boolean;
        inFlight?: number;
        cut?: number;
        drained?: number;
      };
      if (event.type === "receipt" && data.final === true && data.from?.[active ?? ""] === 100) return data;
    }
    return null;
  });
  expect(receipt.inFlight).toBeGreaterThanOrEqual(SOCKETS);
  // A client that answers the close in time has drained.
  expect((receipt.cut ?? 0) + (receipt.drained ?? 0)).toBeGreaterThanOrEqual(SOCKETS);

  const { lost, examples, sent } = await site.settled(load);
  expect({ lost, examples }).toEqual({ lost: 0, examples: [] });
  const total = await site.until("all are counted", async () => {
    const now = await requestsCounted(site);
    return now >= sent && now;
  });
  counted.push(total);
  expect(counted).toEqual(counted.toSorted((a, b) => a - b));
  // Beside the load: the handshakes of the sockets.
  expect(total).toBeLessThanOrEqual(sent + SOCKETS + (counted[0] ?? 0));
  for (const socket of sockets) socket.close();
});

test("a deployment that is under way goes on to its end", async () => {
  await using site = await Site.up({ deploy: { shift: [{ weight: 50, for: "30s" }] } });
  await using next = await OtherPackage.install("1.0.0");
  expect((await site.deployed("v1")).state).toBe("completed");
  const load = new LoadGenerator({ url: site.url, rate: 60, mostMs: 600_000 });
  load.start();
  const id = await site.deploy("v2");
  await site.atStep(id, "shift-50");
  expect(await site.cliOf(next.program, "up", "--yes", "--detach")).toMatchObject({ code: 0, stderr: "" });
  const started: unknown[] = [];
  for await (const { type, data } of site.client.events({ after: 0, follow: false }))
    if (type === "server-started") started.push(data);
  expect(started.at(-1)).toMatchObject({ version: next.runtime, recovered: 1 });
  expect(await site.ended(id)).toMatchObject({ state: "completed", cause: null });
  const { lost, examples } = await site.settled(load);
  expect({ lost, examples }).toEqual({ lost: 0, examples: [] });
});
