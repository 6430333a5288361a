import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { Ledger, type Summary } from "./ledger.ts";
import { WebSocketLoad } from "./websocket-load.ts";

describe("of WebSockets the ledger sees", () => {
  let server: Server;
  beforeEach(() => {
    server = createServer();
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** Runs one socket until `enough` says so, which is polled. */
  async function run(
    enough: (summary: Summary) => boolean,
    { livesMs = 60_000, timeoutMs = 20_000 } = {},
  ): Promise<Summary> {
    if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const ledger = new Ledger();
    const load = new WebSocketLoad({ url, ledger, kept: 0, renewed: 1, livesMs, pauseMs: 1, timeoutMs });
    await expect.poll(() => enough(ledger.summary()), { timeout: 20_000, interval: 5 }).toBe(true);
    await load.stop();
    return ledger.summary();
  }

  const serve = (connected: (socket: WebSocket) => void): void => {
    const sockets = new WebSocketServer({ server });
    sockets.on("headers", (headers) => headers.push("x-version: v1"));
    sockets.on("connection", connected);
  };
  const kind = (summary: Summary, name: string): Summary["byKind"][string] =>
    summary.byKind[name] ?? { sent: 0, ok: 0, failed: 0, lost: 0 };

  it("echoes, and sockets that are renewed, as right", async () => {
    serve((socket) =>
      socket.on("message", (data, isBinary) => {
        socket.send(data, { binary: isBinary });
      }),
    );
    // A socket that is due before its first message has none.
    const isEnough = (now: Summary): boolean => kind(now, "websocket").ok > 2 && kind(now, "websocket-message").ok > 3;
    const summary = await run(isEnough, { livesMs: 20 });
    expect(summary.lost).toBe(0);
    expect(summary.versions["v1"]?.ok).toBe(summary.ok);
  });

  it("a socket that the other side closes, properly or not, as lost", async () => {
    let sockets = 0;
    serve((socket) => {
      sockets += 1;
      if (sockets % 2 === 0) socket.terminate();
      else socket.close(1001);
    });
    const summary = await run((now) => kind(now, "websocket").lost >= 2);
    expect(summary.examples.map(({ detail }) => detail)).toEqual(
      expect.arrayContaining(["closed with 1001", "closed with 1006"]),
    );
  });

  it("another echo, and none in time, as lost", async () => {
    let messages = 0;
    serve((socket) =>
      socket.on("message", () => {
        messages += 1;
        if (messages === 1) socket.send("another");
      }),
    );
    const summary = await run((now) => kind(now, "websocket-message").lost >= 2, { timeoutMs: 200 });
    expect(summary.lostBy).toMatchObject({ "wrong-body": 1 });
    expect(summary.lostBy.timeout).toBeGreaterThan(0);
  });

  it("a handshake that is answered by somebody else as lost", async () => {
    server.on("request", (_, response) => response.writeHead(503, { "teal-error": "no-instance" }).end());
    const summary = await run((now) => kind(now, "websocket").lost >= 1);
    expect(summary.examples[0]).toMatchObject({ kind: "websocket", reason: "teal-error", detail: "503 no-instance" });
  });
});
