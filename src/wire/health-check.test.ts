import { getEventListeners, once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { requiresIpv6 } from "../../test/requires.ts";
import { checkHealth, type HealthAnswer } from "./health-check.ts";

const live = new AbortController().signal;
const spec = { path: "/health?a=b", status: 200, timeoutMs: 20_000 };

/** An app that does `act` on each connection once it has the whole request. */
async function app(act: (socket: Socket, request: string) => void, host = "127.0.0.1") {
  const closed: Promise<unknown>[] = [];
  const server = createServer((socket) => {
    let request = "";
    socket.on("error", () => undefined);
    closed.push(new Promise((resolve) => socket.once("close", resolve)));
    socket.on("data", (chunk: Buffer) => {
      request += chunk.toString("latin1");
      if (request.endsWith("\r\n\r\n")) act(socket, request);
    });
  });
  server.listen(0, host);
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { at: { host, port: address.port }, closed };
}

/** Sends each part once the one before is on its way. */
const answering = (...parts: readonly string[]) =>
  app((socket) => {
    const next = (at: number): void => {
      const part = parts[at];
      if (part !== undefined && !socket.destroyed) socket.write(part, "latin1", () => setImmediate(next, at + 1));
    };
    next(0);
  });

const bad = (what: string): HealthAnswer => ({ kind: "bad", reason: `GET /health?a=b ${what}` });

test("asks for the path, once, on a connection that it closes without reading the body", async () => {
  const requests: string[] = [];
  const { signal } = new AbortController();
  const { at, closed } = await app((socket, request) => {
    requests.push(request);
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nbeginning");
  });
  expect(await checkHealth(at, spec, signal)).toEqual({ kind: "good" });
  expect(getEventListeners(signal, "abort")).toEqual([]);
  const host = `127.0.0.1:${String(at.port)}`;
  expect(requests).toEqual([
    `GET /health?a=b HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: teal-health\r\nConnection: close\r\n\r\n`,
  ]);
  await Promise.all(closed);
  expect(closed).toHaveLength(1);
});

test("an IPv6 address is written as one", async (context) => {
  requiresIpv6(context);
  let request = "";
  const { at } = await app((socket, text) => {
    request = text;
    socket.write("HTTP/1.0 200 OK\r\n\r\n");
  }, "::1");
  expect(await checkHealth(at, spec, live)).toEqual({ kind: "good" });
  expect(request).toContain(`\r\nHost: [::1]:${String(at.port)}\r\n`);
});

test.each<[string, readonly string[], HealthAnswer]>([
  ["the status that is wanted", ["HTTP/1.1 200 OK\r\n\r\n"], { kind: "good" }],
  ["in many packets", Array.from("HTTP/1.1 200 OK\r\nA: b\r\n\r\n"), { kind: "good" }],
  ["after interim answers", ["HTTP/1.1 103 Early\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"], { kind: "good" }],
  ["another status", ["HTTP/1.1 503 Busy\r\n\r\n"], bad("answered 503, expected 200")],
  ["a redirect", ["HTTP/1.1 301 Moved\r\nLocation: /health\r\n\r\n"], bad("answered 301, expected 200")],
  ["another protocol", ["220 mail.example ESMTP\r\n"], bad("failed: the answer is not valid HTTP/1.1")],
])("an answer: %s", async (_, parts, expected) => {
  const { at } = await answering(...parts);
  expect(await checkHealth(at, spec, live)).toEqual(expected);
});

test.each<[string, (socket: Socket) => void, RegExp]>([
  ["ends", (socket) => socket.end("HTTP/1.1 200 OK\r\nA: b\r\n"), /failed: the connection ended before/],
  ["is reset", (socket) => socket.resetAndDestroy(), /failed: .*ECONNRESET/],
])("a connection that %s before the head is whole", async (_, act, reason) => {
  const { at } = await app(act);
  expect(await checkHealth(at, spec, live)).toEqual({ kind: "bad", reason: expect.stringMatching(reason) as string });
});

test.each<[string, (socket: Socket) => void]>([
  ["nothing", () => undefined],
  ["a head without an end", (socket) => socket.write("HTTP/1.1 200 OK\r\n")],
])("an app that sends %s has until the timeout, and then loses the connection", async (_, act) => {
  const { at, closed } = await app(act);
  const slow = { ...spec, timeoutMs: 50 };
  expect(await checkHealth(at, slow, live)).toEqual(bad("did not answer within 50 ms"));
  await Promise.all(closed);
});

test("an endless head is given up as soon as it is too long", async () => {
  const { at } = await app((socket) => {
    const line = `A: ${"x".repeat(1_000)}\r\n`;
    const more = (): void => {
      while (socket.writable && socket.write(line));
    };
    socket.on("drain", more);
    socket.write("HTTP/1.1 200 OK\r\n");
    more();
  });
  expect(await checkHealth(at, spec, live)).toEqual(bad("failed: the head of the answer is too large"));
});

test("where nothing listens it is refused", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  expect(await checkHealth({ host: "127.0.0.1", port }, spec, live)).toEqual({ kind: "refused" });
});

test("an abort ends it, before and while it asks", async () => {
  const { at, closed } = await app(() => undefined);
  const stop = new AbortController();
  const asked = checkHealth(at, spec, stop.signal);
  await vi.waitFor(() => {
    expect(closed).toHaveLength(1);
  }, 20_000);
  stop.abort();
  expect(await asked).toEqual(bad("was given up"));
  expect(getEventListeners(stop.signal, "abort")).toEqual([]);
  expect(await checkHealth(at, spec, stop.signal)).toEqual(bad("was given up"));
  await Promise.all(closed);
  expect(closed).toHaveLength(1);
});

test.each(["/a b", "/\r\nX: y", "/é"])("the path %j is not put into a request", async (path) => {
  expect(await checkHealth({ host: "127.0.0.1", port: 1 }, { ...spec, path }, live)).toEqual({
    kind: "bad",
    reason: `GET ${path} cannot be asked: no URL has such characters`,
  });
});
