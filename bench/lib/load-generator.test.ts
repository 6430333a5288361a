import { createHash } from "node:crypto";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Summary } from "./ledger.ts";
import { LoadGenerator, type LoadOptions } from "./load-generator.ts";
import { LOST_REASONS } from "./outcome.ts";
import { MIXED, type RequestKind } from "./wish.ts";

const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");
const ORDERS = MIXED.filter((kind) => kind.make("x", () => 0).body !== null);
const READS = MIXED.filter((kind) => !ORDERS.includes(kind));

/** What a right app answers; `change` makes it a wrong one. */
interface Answer {
  status: number;
  data: Record<string, unknown>;
  headers: Record<string, string | number>;
  body: Buffer | null;
}
type Change = (answer: Answer, request: IncomingMessage, response: ServerResponse) => boolean | undefined;

describe("the ledger sees", () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      if ("closeAllConnections" in server) (server as ReturnType<typeof createHttpServer>).closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  async function listen(server: Server): Promise<string> {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
    const address = server.address();
    return `http://127.0.0.1:${String(typeof address === "object" && address !== null ? address.port : 0)}`;
  }

  async function app(change: Change = () => undefined): Promise<string> {
    const server = createHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const id = request.headers["x-request-id"];
        const answer: Answer = {
          status: 200,
          data: { id, digest: sha256(Buffer.concat(chunks)), times: 1 },
          headers: { "x-version": "v1" },
          body: null,
        };
        if (change(answer, request, response) === true) return;
        const body: Buffer = answer.body ?? Buffer.from(JSON.stringify(answer.data));
        response
          .writeHead(answer.status, { "content-length": body.length, "x-digest": sha256(body), ...answer.headers })
          .end(body);
      });
    });
    return await listen(server);
  }

  /** A server that talks bytes. */
  const raw = (onData: (socket: Socket) => void): Promise<string> =>
    listen(
      createServer((socket) => {
        socket.on("error", () => socket.destroy());
        socket.on("data", () => {
          onData(socket);
        });
      }),
    );

  async function load(url: string, options: Partial<LoadOptions> = {}): Promise<Summary> {
    const generator = new LoadGenerator({ url, rate: 500, mostRequests: 20, timeoutMs: 2_000, ...options });
    generator.start();
    return await generator.finished();
  }

  /** The summary of twenty requests that were all lost for this reason alone. */
  function allLost(reason: (typeof LOST_REASONS)[number]): object {
    const none = Object.fromEntries(LOST_REASONS.map((name) => [name, 0]));
    return { sent: 20, lost: 20, ok: 0, lostBy: { ...none, [reason]: 20 } };
  }

  it("right answers to reads and orders of every framing, and says how long they took", async () => {
    const summary = await load(await app(), { mostRequests: 200, rate: 1_000 });
    expect(summary).toMatchObject({ sent: 200, ok: 200, lost: 0, failed: {}, skipped: 0, cancelled: 0 });
    expect(summary.versions["v1"]?.ok).toBe(200);
    expect(summary.latencyMs.p99).toBeGreaterThan(0);
  });

  it("the app's own 5xx as failed, not lost, with its version and the first time", async () => {
    let served = 0;
    const before = Date.now();
    const summary = await load(await app((answer) => void (answer.status = ++served % 5 === 0 ? 500 : 200)));
    expect(summary).toMatchObject({ lost: 0, ok: 16, failed: { v1: 4 } });
    expect(summary.versions["v1"]?.firstFailedAt).toBeGreaterThanOrEqual(before);
  });

  it("a refusal", async () => {
    const url = await listen(createServer());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await load(url)).toMatchObject(allLost("refused"));
  });

  it("a reset and a close before the answer", async () => {
    expect(await load(await raw((socket) => socket.resetAndDestroy()), { kinds: READS })).toMatchObject(
      allLost("reset"),
    );
    expect(await load(await raw((socket) => socket.end()), { kinds: READS })).toMatchObject(allLost("reset"));
  });

  it("a reset of a kept connection within the announced time, and leaves out one after it", async () => {
    const closing = (announced: string): Promise<string> => {
      const seen = new WeakSet<Socket>();
      return app((answer, request) => {
        answer.headers = { ...answer.headers, "keep-alive": announced, connection: "keep-alive" };
        if (!seen.has(request.socket)) return void seen.add(request.socket);
        request.socket.resetAndDestroy();
        return true;
      });
    };
    const one = { mostRequests: 2, rate: 3, connections: 1, kinds: READS };
    expect(await load(await closing("timeout=60"), one)).toMatchObject({
      ok: 1,
      lost: 1,
      lostBy: { reset: 1 },
      idleRaces: 0,
    });
    const late = await load(await closing("timeout=0"), one);
    expect(late.lost).toBe(0);
    expect(late.ok + late.idleRaces).toBe(2);
  });

  it("a cut body, by Content-Length and by chunks", async () => {
    const cut = (framing: string): Promise<string> =>
      raw((socket) => socket.end(`HTTP/1.1 200 OK\r\nx-version: v1\r\n${framing}`));
    expect(await load(await cut("Content-Length: 100\r\n\r\nabc"), { kinds: READS })).toMatchObject(
      allLost("truncated"),
    );
    expect(await load(await cut("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), { kinds: READS })).toMatchObject(
      allLost("truncated"),
    );
  });

  it("no answer, and half an answer that does not go on", async () => {
    expect(await load(await raw(() => undefined), { timeoutMs: 200, kinds: READS })).toMatchObject(allLost("timeout"));
    const half = await raw((socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"));
    expect(await load(half, { timeoutMs: 200, kinds: READS })).toMatchObject(allLost("timeout"));
  });

  const wrong: [string, Change, readonly RequestKind[]][] = [
    ["another body than its digest", (answer) => void (answer.headers = { ...answer.headers, "x-digest": "0" }), MIXED],
    ["somebody else's answer", (answer) => void (answer.data["id"] = "another"), MIXED],
    ["an order that arrived changed", (answer) => void (answer.data["digest"] = sha256(Buffer.from("less"))), ORDERS],
    ["an answer that is not the app's", (answer) => void (answer.headers = {}), MIXED],
    [
      "an unmarked 502 of something between",
      (answer) => void Object.assign(answer, { status: 502, headers: {}, body: Buffer.from("Bad Gateway") }),
      MIXED,
    ],
    ["an unexpected 404 of the app", (answer) => void (answer.status = 404), MIXED],
    ["a body that is no JSON", (answer) => void (answer.body = Buffer.from("<html>")), MIXED],
  ];
  it.each(wrong)("%s", async (_what, change, kinds) => {
    expect(await load(await app(change), { kinds })).toMatchObject(allLost("wrong-body"));
  });

  it("what is no HTTP", async () => {
    expect(await load(await raw((socket) => socket.end("hello\r\n\r\n")), { kinds: READS })).toMatchObject(
      allLost("wrong-body"),
    );
  });

  it("an answer that Teal made", async () => {
    const url = await app(
      (answer) => void Object.assign(answer, { status: 503, headers: { "teal-error": "no-release" } }),
    );
    const summary = await load(url);
    expect(summary).toMatchObject(allLost("teal-error"));
    expect(summary.examples[0]?.detail).toBe("503 no-release");
  });

  it("an order taken twice, by the answer and by the app's ledger", async () => {
    expect(await load(await app((answer) => void (answer.data["times"] = 2)), { kinds: ORDERS })).toMatchObject(
      allLost("duplicated"),
    );
    const ids: string[] = [];
    const url = await app((_answer, request) => void ids.push(String(request.headers["x-request-id"])));
    const generator = new LoadGenerator({ url, rate: 500, mostRequests: 20, kinds: ORDERS });
    generator.start();
    expect((await generator.finished()).lost).toBe(0);
    const [first = "", second = "", ...rest] = ids;
    generator.ledger.reconcile(new Map([[first, 2], ["somebody else's", 5], ...rest.map((id) => [id, 1] as const)]));
    const summary = generator.ledger.summary();
    expect(summary).toMatchObject({ lost: 2, lostBy: { duplicated: 1, vanished: 1 } });
    expect(summary.examples.map(({ id }) => id).toSorted()).toEqual([first, second].toSorted());
  });

  it("what it did not send itself as skipped, and what it cancelled as cancelled", async () => {
    const slow = await app((_answer, _request, response) => {
      setTimeout(() => response.destroy(), 200);
      return true;
    });
    const one = { connections: 1, timeoutMs: 300, mostRequests: 3, kinds: READS };
    expect(await load(slow, one)).toMatchObject({ sent: 2, lostBy: { reset: 2 }, skipped: 1 });
    const stuck = await raw(() => undefined);
    const abort = new AbortController();
    const generator = new LoadGenerator({ url: stuck, rate: 100, connections: 4, kinds: READS, signal: abort.signal });
    generator.start();
    setTimeout(() => {
      abort.abort();
    }, 100);
    const summary = await generator.finished();
    expect(summary.lost).toBe(0);
    expect(summary.cancelled).toBeGreaterThan(0);
  });

  it("the rate that was asked for, and its bound in time", async () => {
    const url = await app();
    const generator = new LoadGenerator({ url, rate: 200, mostMs: 1_000 });
    generator.start();
    const { sent } = await generator.finished();
    expect(sent).toBeGreaterThanOrEqual(150);
    expect(sent).toBeLessThanOrEqual(202);
  });
});
