import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { WebSocket } from "ws";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readAppLedger } from "../../bench/lib/app-ledger.ts";
import { LoadGenerator } from "../../bench/lib/load-generator.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("the example web app", () => {
  let releases: string;
  let url: string;
  let app: ChildProcess;
  let ended: Promise<unknown[]>;

  beforeEach(async () => {
    releases = await mkdtemp(join(tmpdir(), "teal-web-node-"));
    await cp(join(import.meta.dirname, "app"), join(releases, "app"), { recursive: true });
  });
  afterEach(async () => {
    app.kill("SIGKILL");
    await ended;
    await rm(releases, { recursive: true });
  });

  async function start(version: string): Promise<void> {
    const port = await freePort();
    url = `http://127.0.0.1:${String(port)}`;
    const env = {
      PATH: process.env["PATH"],
      PORT: String(port),
      TEAL_VERSION: version,
      TEAL_INSTANCE: `web/blue/${version}/0`,
    };
    app = spawn(process.execPath, ["server.js"], { cwd: join(releases, "app"), env, stdio: "ignore" });
    ended = once(app, "exit");
    await vi.waitUntil(
      async () =>
        fetch(url, { method: "HEAD" }).then(
          () => true,
          () => false,
        ),
      { timeout: 5_000 },
    );
  }

  it("gives right answers and keeps the same ledger as the client, also when it is stopped under load", async () => {
    await start("v1");
    const load = new LoadGenerator({ url, rate: 200, mostMs: 1_000 });
    load.start();
    const summary = await load.finished();
    expect(summary).toMatchObject({ lost: 0, failed: {}, skipped: 0 });
    const slow = Array.from({ length: 10 }, () => fetch(url).then((response) => response.status));
    await vi.waitUntil(async () => (await fetch(`${url}/health`)).ok);
    app.kill("SIGTERM");
    expect(await Promise.all(slow)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(await ended).toEqual([0, null]);
    load.ledger.reconcile(await readAppLedger(releases));
    expect(load.ledger.summary()).toMatchObject({ lost: 0 });
  });

  it("echoes on a WebSocket: text, bytes, fragments, pings; and says goodbye when it is stopped", async () => {
    await start("v1");
    const socket = new WebSocket(`${url.replace("http", "ws")}/echo`, { perMessageDeflate: false });
    await once(socket, "open");
    const echoed = async (data: string | Buffer, ...parts: string[]): Promise<string> => {
      const came = once(socket, "message") as Promise<[Buffer, boolean]>;
      socket.send(data, { fin: parts.length === 0 });
      parts.forEach((part, i) => {
        socket.send(part, { fin: i === parts.length - 1 });
      });
      const [bytes, isBinary] = await came;
      return `${isBinary ? "binary" : "text"} ${bytes.toString("latin1")}`;
    };
    expect(await echoed("tea")).toBe("text tea");
    expect(await echoed(Buffer.from([0, 255]))).toBe("binary \0\u00ff");
    expect(await echoed("x".repeat(300))).toBe(`text ${"x".repeat(300)}`);
    expect(await echoed("x".repeat(65_536))).toBe(`text ${"x".repeat(65_536)}`);
    expect(await echoed("te", "a a", "nd milk")).toBe("text tea and milk");
    const pong = once(socket, "pong");
    socket.ping("still there?");
    expect(String((await pong)[0])).toBe("still there?");
    const closed = once(socket, "close");
    app.kill("SIGTERM");
    expect((await closed)[0]).toBe(1001);
    expect(await ended).toEqual([0, null]);
  });

  it("refuses what is no WebSocket, and closes one that breaks the rules", async () => {
    await start("v1");
    const codeFor = async (act: (socket: WebSocket) => void): Promise<unknown> => {
      const socket = new WebSocket(`${url.replace("http", "ws")}/echo`, { perMessageDeflate: false });
      await once(socket, "open");
      const closed = once(socket, "close");
      act(socket);
      return (await closed)[0] as unknown;
    };
    expect(
      await codeFor((socket) => {
        socket.close(4_000);
      }),
    ).toBe(4_000);
    expect(
      await codeFor((socket) => {
        socket.send("x".repeat(65_537));
      }),
    ).toBe(1_009);
    expect(
      await codeFor((socket) => {
        socket.send("not masked", { mask: false });
      }),
    ).toBe(1_002);
    const statusFor = async (path: string, fields: string): Promise<string> => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1");
      socket.write(`GET ${path} HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${fields}\r\n`);
      return (await text(socket)).split(" ")[1] ?? "";
    };
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    expect(await statusFor("/echo", "Sec-WebSocket-Version: 13\r\n")).toBe("400");
    expect(await statusFor("/echo", `${key}Sec-WebSocket-Version: 8\r\n`)).toBe("426");
    expect(await statusFor("/other", `${key}Sec-WebSocket-Version: 13\r\n`)).toBe("404");
  });

  it("v3 fails a fifth of its requests, and nothing that Teal asks", async () => {
    await start("v3");
    const load = new LoadGenerator({ url, rate: 500, mostRequests: 100 });
    load.start();
    expect(await load.finished()).toMatchObject({ lost: 0, ok: 80, failed: { v3: 20 } });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await fetch(`${url}/deployment/validate`)).status).toBe(200);
  });

  it("v4 is slow, v5 never healthy, v6 ends by itself, v7 fails its smoke test and v2 passes", async () => {
    await start("v4");
    const began = performance.now();
    expect((await fetch(url)).status).toBe(200);
    expect(performance.now() - began).toBeGreaterThan(35);
    app.kill("SIGKILL");
    await start("v5");
    expect((await fetch(`${url}/health`)).status).toBe(503);
    app.kill("SIGKILL");
    const smoke = (): Promise<unknown> =>
      promisify(execFile)(process.execPath, ["smoke.js"], { cwd: join(releases, "app"), env: { BASE_URL: url } });
    await start("v7");
    await expect(smoke()).rejects.toThrow("the receipt is wrong");
    app.kill("SIGKILL");
    await start("v2");
    await expect(smoke()).resolves.toBeDefined();
    app.kill("SIGKILL");
    await start("v6");
    expect(await ended).toEqual([1, null]);
  });
});
