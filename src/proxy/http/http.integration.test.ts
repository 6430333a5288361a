import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingMessage, request, type RequestOptions, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer, WebSocket as Client } from "ws";
import { type App, PATIENCE, ProxyHarness, tableOf } from "../../../test/proxy-harness.ts";

const digest = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

/** Sends bytes as they are, and reads until the end of the connection. */
async function raw(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => socket.destroy());
  await once(socket, "connect");
  // Not ended: to node:http a client that ends its side has gone.
  socket.write(bytes);
  return text(socket).catch(() => "");
}

describe("HTTP through a real proxy", () => {
  let harness: ProxyHarness;
  let app: App;
  /** What the app does with a request; set by each test. */
  let serve: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    harness = new ProxyHarness();
    const { pid } = await harness.startProxy();
    app = await harness.app("blue", (request, response) => {
      serve(request, response);
    });
    serve = (_, response) => void response.end("ok");
    const peer = await harness.peer(pid);
    await peer.call("apply", tableOf({ blue: [app] }, { blue: 100 }));
  });
  afterEach(() => harness.close());

  const send = async (
    options: RequestOptions,
    body?: Buffer | string,
  ): Promise<{ response: IncomingMessage; body: Buffer }> => {
    const sent = request(harness.url, options);
    sent.end(body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { response, body: Buffer.concat(chunks) };
  };

  test("large bodies pass both ways unchanged, chunked and with a length", async () => {
    const bytes = randomBytes(24 * 1024 * 1024);
    serve = (request, response) => {
      const hash = createHash("sha256");
      request.on("data", (chunk: Buffer) => hash.update(chunk));
      request.on("end", () => {
        response.setHeader("x-digest", hash.digest("hex"));
        response.end(bytes);
      });
    };
    for (const headers of [{ "content-length": String(bytes.length) }, { "transfer-encoding": "chunked" }]) {
      const { response, body } = await send({ method: "POST", headers }, bytes);
      expect(response.headers["x-digest"]).toBe(digest(bytes));
      expect(digest(body)).toBe(digest(bytes));
    }
  });

  test("the app sees who asked, end-to-end fields, and no field of one connection", async () => {
    serve = (request, response) => void response.end(JSON.stringify({ headers: request.headers, url: request.url }));
    const { response, body } = await send({
      path: "/a?b=c",
      headers: {
        host: "shop.example",
        "x-mine": "1",
        "x-hop": "2",
        connection: "keep-alive, x-hop",
        "keep-alive": "timeout=5",
        te: "trailers",
        "proxy-authorization": "secret",
        "x-forwarded-for": "10.1.1.1",
        "x-request-id": "abc",
      },
    });
    const { headers, url } = JSON.parse(body.toString()) as { headers: Record<string, string>; url: string };
    expect(url).toBe("/a?b=c");
    expect(headers).toMatchObject({
      host: "shop.example",
      "x-mine": "1",
      "x-forwarded-for": "10.1.1.1, 127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": "shop.example",
      "x-request-id": "abc",
    });
    for (const name of ["x-hop", "keep-alive", "te", "proxy-authorization"]) expect(headers).not.toHaveProperty(name);
    expect(response.headers["keep-alive"]).toBe("timeout=65");
  });

  test("request ids are made, and are unique", async () => {
    serve = (request, response) => void response.end(request.headers["x-request-id"]);
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await send({})).body.toString()));
    expect(new Set(ids).size).toBe(20);
  });

  test("an app cannot pass for Teal", async () => {
    serve = (_, response) => void response.setHeader("Teal-Error", "no-route").end();
    expect((await send({})).response.headers).not.toHaveProperty("teal-error");
  });

  test("repeated fields, HEAD, 204 and 304 stay as they are", async () => {
    serve = (request, response) => {
      if (request.url === "/none") response.writeHead(204).end();
      else if (request.url === "/same") response.writeHead(304, { etag: '"x"' }).end();
      else
        response
          .writeHead(
            200,
            [
              ["set-cookie", "a=1"],
              ["set-cookie", "b=2"],
              ["content-length", "5"],
            ].flat(),
          )
          .end("12345");
    };
    const head = await send({ method: "HEAD" });
    expect([head.response.headers["content-length"], head.body.length]).toEqual(["5", 0]);
    expect(head.response.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect((await send({ path: "/none" })).response.statusCode).toBe(204);
    expect((await send({ path: "/same" })).response.headers.etag).toBe('"x"');
  });

  test("100-continue comes from the app, trailers pass both ways", async () => {
    serve = (request, response) => {
      request.resume();
      request.on("end", () => {
        response.writeHead(200, { trailer: "x-sum" });
        response.write("body");
        response.addTrailers({ "x-sum": request.trailers["x-in"] ?? "none" });
        response.end();
      });
    };
    const sent = request(harness.url, {
      method: "POST",
      headers: { expect: "100-continue", "transfer-encoding": "chunked", trailer: "x-in" },
    });
    sent.flushHeaders();
    await once(sent, "continue");
    sent.write("hello");
    sent.addTrailers({ "x-in": "42" });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    expect(await text(response)).toBe("body");
    expect(response.trailers).toEqual({ "x-sum": "42" });
  });

  test("server-sent events come as they are sent", async () => {
    let stream: ServerResponse | null = null;
    serve = (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      stream = response;
    };
    const sent = request(harness.url).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    for (const n of [1, 2, 3]) {
      (stream as unknown as ServerResponse).write(`data: ${String(n)}\n\n`);
      const [chunk] = (await once(response, "data")) as [Buffer];
      expect(chunk.toString()).toBe(`data: ${String(n)}\n\n`);
    }
    sent.destroy();
    await expect.poll(() => (stream as unknown as ServerResponse).destroyed, PATIENCE).toBe(true);
  });

  test("WebSockets pass both ways, and a refused upgrade is passed on", async () => {
    const sockets = new WebSocketServer({ noServer: true });
    app.server.on("upgrade", (request, socket: Socket, early) => {
      if (request.url === "/no") socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
      else
        sockets.handleUpgrade(request, socket, early, (web: WebSocket) => {
          web.on("message", (data) => {
            web.send(data);
          });
        });
    });
    const client = new Client(`ws://127.0.0.1:${String(harness.port)}/chat`);
    await once(client, "open");
    const bytes = randomBytes(1024 * 1024);
    client.send(bytes);
    const [echo] = (await once(client, "message")) as [Buffer];
    expect(digest(echo)).toBe(digest(bytes));
    client.close();
    await once(client, "close");
    const refused = new Client(`ws://127.0.0.1:${String(harness.port)}/no`);
    const [, response] = (await once(refused, "unexpected-response")) as [unknown, IncomingMessage];
    expect([response.statusCode, await text(response)]).toEqual([403, "no"]);
  });

  test("an answer that breaks off reaches the client broken", async () => {
    serve = (_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("half", () => response.socket?.destroy());
    };
    await expect(send({})).rejects.toThrow(/aborted|hang up|terminated/);
    serve = (_, response) => {
      response.writeHead(200);
      response.write("half", () => response.socket?.destroy());
    };
    await expect(send({})).rejects.toThrow(/aborted|hang up|terminated/);
  });

  test("a reset before the answer: GET is sent again, POST is a 502 and is not", async () => {
    let resets = 1;
    serve = (request, response) => {
      if (resets > 0) {
        resets -= 1;
        request.socket.destroy();
      } else response.end("second");
    };
    expect((await send({})).body.toString()).toBe("second");
    resets = 1;
    const { response } = await send({ method: "POST" }, "effect");
    expect([response.statusCode, response.headers["teal-error"]]).toEqual([502, "bad-gateway"]);
    expect(resets).toBe(0);
  });

  test("a client that goes away ends what the app does for it", async () => {
    const gone = Promise.withResolvers<void>();
    serve = (_, response) => void response.once("close", gone.resolve);
    const sent = request(harness.url).end();
    sent.on("error", () => undefined);
    await expect.poll(() => app.requests, PATIENCE).toBe(1);
    sent.destroy();
    await gone.promise;
  });

  test("idle connections are used again", async () => {
    const ports = new Set<number>();
    serve = (request, response) => {
      ports.add(request.socket.remotePort ?? 0);
      response.end("ok");
    };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let n = 0; n < 20; n += 1) {
      const { body } = await send({ agent, method: n % 2 === 0 ? "GET" : "POST" }, n % 2 === 0 ? undefined : "x");
      expect(body.toString()).toBe("ok");
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  test("whatever bytes come, each connection gets an answer or an end, and no worker fails", async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "GET ",
        "POST ",
        "/",
        "*",
        "http://a/",
        " HTTP/1.1",
        "\r\n",
        "\n",
        "Host: a",
        "Upgrade: websocket",
      ),
      fc.constantFrom(
        "Connection: upgrade",
        "Content-Length: 3",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
        "0",
      ),
      fc.constantFrom(
        "Trailer: x",
        "X-Request-Id: \u0001",
        "Connection: close",
        "\u00ff",
        "\u0000",
        ": ",
        ",",
        "TE: trailers",
      ),
      fc.string({ unit: "binary", maxLength: 12 }),
    );
    const bytes = fc.tuple(fc.constantFrom("", "GET / HTTP/1.1\r\nHost: a\r\n"), fc.array(piece, { maxLength: 20 }));
    await fc.assert(
      fc.asyncProperty(bytes, async ([start, pieces]) => {
        const socket = connect(harness.port, "127.0.0.1");
        socket.on("error", () => socket.destroy());
        socket.end(Buffer.from(`${start}${pieces.join("")}\r\n\r\n`, "latin1"));
        const answer = await text(socket).catch(() => "");
        expect(answer).toMatch(/^$|^HTTP\/1\.1 \d{3} /);
      }),
      { numRuns: 400 },
    );
    expect((await send({})).body.toString()).toBe("ok");
    expect(harness.log.split("\n").filter((line) => !line.includes(" worker: refused "))).toEqual([""]);
  });

  test.each([
    ["no request", "hello\r\n\r\n", /^HTTP\/1.1 400 |^$/],
    ["binary", randomBytes(64), /^HTTP\/1.1 400 |^$/],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", /^HTTP\/1.1 400 .*Teal-Error: bad-request/s],
    ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", /^HTTP\/1.1 400 .*Teal-Error: bad-request/s],
    [
      "length and chunked",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1.1 400 /,
    ],
    [
      "another coding",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1.1 400 /,
    ],
    ["a large head", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(70_000)}\r\n\r\n`, /^HTTP\/1.1 431 |^$/],
    ["CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", /^HTTP\/1.1 501 .*Teal-Error/s],
    ["a bad chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", /^HTTP\/1.1 4|^$/],
    ["another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1.1 400 /],
    ["absolute form", "GET http://a/x HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n", /^HTTP\/1.1 200 /],
    ["HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", /^HTTP\/1.1 200 /],
  ])("bytes that are no good request (%s) get a refusal or an end", async (_, bytes, expected) => {
    expect(await raw(harness.port, bytes)).toMatch(expected);
    expect((await send({})).body.toString()).toBe("ok");
  });
});
