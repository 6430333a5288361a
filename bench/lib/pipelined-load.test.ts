import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Ledger, type Summary } from "./ledger.ts";
import { PipelinedLoad } from "./pipelined-load.ts";

describe("of pipelined requests the ledger sees", () => {
  let server: Server;
  const sockets = new Set<Socket>();
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  /** A server that is told of the ids that wait on a connection, in their order, and takes out those that it answers. */
  async function run(
    onWaiting: (socket: Socket, ids: string[]) => void,
    enough: (summary: Summary) => boolean,
  ): Promise<Summary> {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      let heads = "";
      const waiting: string[] = [];
      socket.on("data", (data) => {
        heads += data.toString("latin1");
        const whole = heads.slice(0, heads.lastIndexOf("\r\n\r\n") + 4);
        heads = heads.slice(whole.length);
        for (const [, id = ""] of whole.matchAll(/x-request-id: (\S+)/g)) waiting.push(id);
        onWaiting(socket, waiting);
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const ledger = new Ledger();
    const load = new PipelinedLoad({ url, ledger, connections: 1, depth: 4, pauseMs: 1, timeoutMs: 2_000 });
    await expect.poll(() => enough(ledger.summary()), { timeout: 8_000, interval: 5 }).toBe(true);
    await load.stop();
    return ledger.summary();
  }

  const answer = (id: string, connection: string): string => {
    const body = JSON.stringify({ id });
    const digest = createHash("sha256").update(body).digest("hex");
    const length = String(body.length);
    return `HTTP/1.1 200 OK\r\nconnection: ${connection}\r\nx-version: v1\r\nx-digest: ${digest}\r\ncontent-length: ${length}\r\n\r\n${body}`;
  };

  it("answers in order as right, which the server gives to four at a time", async () => {
    const summary = await run(
      (socket, ids) => {
        if (ids.length < 4) return;
        for (const id of ids.splice(0)) socket.write(answer(id, "keep-alive"));
      },
      (now) => now.ok >= 40,
    );
    expect(summary.lost).toBe(0);
    expect(summary.byKind["pipelined"]?.ok).toBe(summary.ok);
  });

  it("answers in the wrong order as lost", async () => {
    const summary = await run(
      (socket, ids) => {
        if (ids.length < 4) return;
        for (const id of ids.splice(0).toReversed()) socket.write(answer(id, "keep-alive"));
      },
      (now) => now.lost > 0,
    );
    expect(summary.lostBy["wrong-body"]).toBeGreaterThan(0);
  });

  it("what stood behind a `Connection: close` as sent again, and what a reset took as lost", async () => {
    const closing = await run(
      (socket, ids) => {
        socket.end(answer(ids.splice(0, 1)[0] ?? "", "close"));
      },
      (now) => now.ok >= 12,
    );
    expect(closing.lost).toBe(0);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    const reset = await run(
      (socket) => socket.resetAndDestroy(),
      (now) => now.lost > 0,
    );
    expect(reset.lostBy.reset).toBe(reset.lost);
  });
});
