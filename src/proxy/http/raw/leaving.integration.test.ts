import { once } from "node:events";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PATIENCE } from "../../../../test/proxy-harness.ts";
import { EngineHarness } from "./engine-harness.ts";

const UPGRADE = (protocol: string): string =>
  `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
const SWITCHED = (protocol: string): string =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const STREAM = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
/** A server's frame with the text "tea". */
const TEA = Buffer.from([0x81, 3, 0x74, 0x65, 0x61]);
const GOING_AWAY = Buffer.from([0x88, 2, 0x03, 0xe9]);
/** A client's answer to that, masked with zeros. */
const CLOSE_ANSWER = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]);

describe("what is ended from the middle at a raw engine", () => {
  let harness: EngineHarness;
  let upstream: Socket;
  let client: Socket;
  let gotten: Buffer;
  beforeEach(async () => {
    harness = new EngineHarness();
    await harness.start();
  });
  afterEach(async () => {
    await harness.close();
    expect(harness.errors).toEqual([]);
    await expect.poll(() => harness.accounts.every(({ events }) => events.at(-1) === "end"), PATIENCE).toBe(true);
  });

  /** A client that sent `request` and has got an answer that begins with `head`; what follows is in `gotten`. */
  async function begin(request: string, head: string): Promise<void> {
    gotten = Buffer.alloc(0);
    const met = Promise.withResolvers<Socket>();
    await harness.instance((socket) =>
      socket.once("data", () => {
        socket.write(head);
        met.resolve(socket);
      }),
    );
    client = await harness.client();
    client.on("data", (chunk: Buffer) => (gotten = Buffer.concat([gotten, chunk])));
    client.write(request);
    upstream = await met.promise;
    await expect.poll(() => gotten.includes("\r\n\r\n"), PATIENCE).toBe(true);
    gotten = gotten.subarray(gotten.indexOf("\r\n\r\n") + 4);
  }
  const cut = (): void => harness.accounts[0]?.cut();
  const hasEnded = (): boolean => harness.accounts[0]?.events.at(-1) === "end";

  test("a WebSocket: a Close frame with 1001; the client's answer reaches the instance, which then ends it", async () => {
    await begin(UPGRADE("websocket"), SWITCHED("websocket"));
    upstream.write(TEA);
    await expect.poll(() => gotten.length, PATIENCE).toBe(TEA.length);
    cut();
    await expect.poll(() => gotten, PATIENCE).toEqual(Buffer.concat([TEA, GOING_AWAY]));
    const answered = once(upstream, "data") as Promise<[Buffer]>;
    client.write(CLOSE_ANSWER);
    expect((await answered)[0]).toEqual(CLOSE_ANSWER);
    expect(hasEnded()).toBe(false);
    const ended = once(client, "end");
    upstream.end(TEA);
    await ended;
    client.end();
    await expect.poll(hasEnded, PATIENCE).toBe(true);
    expect(gotten.length).toBe(TEA.length + GOING_AWAY.length);
  });

  test("a WebSocket in the middle of a frame: the rest of it first, nothing of the next", async () => {
    await begin(UPGRADE("WebSocket"), SWITCHED("websocket"));
    upstream.write(TEA.subarray(0, 3));
    await expect.poll(() => gotten.length, PATIENCE).toBe(3);
    cut();
    upstream.write(Buffer.concat([TEA.subarray(3), TEA]));
    await expect.poll(() => gotten, PATIENCE).toEqual(Buffer.concat([TEA, GOING_AWAY]));
    client.end();
  });

  test("a WebSocket whose instance is closing already gets no second Close", async () => {
    await begin(UPGRADE("websocket"), SWITCHED("websocket"));
    upstream.write(GOING_AWAY);
    await expect.poll(() => gotten.length, PATIENCE).toBe(GOING_AWAY.length);
    cut();
    client.write(CLOSE_ANSWER);
    upstream.end();
    await once(client, "end");
    expect(gotten).toEqual(GOING_AWAY);
    client.end();
  });

  test("a WebSocket whose client does not answer is ended after two seconds", async () => {
    await begin(UPGRADE("websocket"), SWITCHED("websocket"));
    cut();
    await expect.poll(() => gotten, PATIENCE).toEqual(GOING_AWAY);
    await harness.settled();
    expect(hasEnded()).toBe(false);
    harness.skewMs += 2_000;
    await expect.poll(hasEnded, PATIENCE).toBe(true);
  });

  test("a tunnel of another protocol: the end of the stream on both sides, behind what was sent", async () => {
    await begin(UPGRADE("other"), SWITCHED("other"));
    upstream.write("tea");
    await expect.poll(() => gotten.toString(), PATIENCE).toBe("tea");
    const ends = Promise.all([once(client, "end"), once(upstream, "end")]);
    cut();
    await ends;
    expect(gotten.toString()).toBe("tea");
    client.end();
    await expect.poll(hasEnded, PATIENCE).toBe(true);
  });

  test("an event stream: the last chunk, and the connection serves on", async () => {
    await begin(GET, `${STREAM}3\r\ntea\r\n`);
    await expect.poll(() => gotten.toString(), PATIENCE).toContain("tea");
    cut();
    await expect.poll(() => gotten.toString(), PATIENCE).toBe("3\r\ntea\r\n0\r\n\r\n");
    await expect.poll(hasEnded, PATIENCE).toBe(true);
    await harness.instance((socket) => socket.once("data", () => socket.write("HTTP/1.1 204 No Content\r\n\r\n")));
    client.write(GET);
    await expect.poll(() => gotten.toString(), PATIENCE).toContain("HTTP/1.1 204");
  });

  test("an event stream in the middle of a chunk: once that is whole, or by force after two seconds", async () => {
    await begin(GET, `${STREAM}3\r\nt`);
    cut();
    upstream.write("ea\r\n");
    await expect.poll(() => gotten.toString(), PATIENCE).toBe("3\r\ntea\r\n0\r\n\r\n");
    harness.accounts.length = 0;
    await begin(GET, `${STREAM}3\r\nt`);
    cut();
    const ended = once(client, "end");
    harness.skewMs += 2_000;
    await ended;
    client.end();
    expect(gotten.toString()).not.toContain("0\r\n\r\n");
  });

  test("an event stream without chunks: the end of the connection; and one for HTTP/1.0", async () => {
    await begin(GET, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ntea");
    await expect.poll(() => gotten.toString(), PATIENCE).toContain("tea");
    cut();
    await expect.poll(() => gotten.toString(), PATIENCE).toBe("3\r\ntea\r\n0\r\n\r\n");
    harness.accounts.length = 0;
    await begin("GET / HTTP/1.0\r\nHost: a\r\n\r\n", `${STREAM}3\r\ntea\r\n`);
    await expect.poll(() => gotten.toString(), PATIENCE).toBe("tea");
    const ended = once(client, "end");
    cut();
    await ended;
    client.end();
  });

  test("an answer that is no event stream is broken off, so that nobody takes it for whole", async () => {
    await begin(GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntea\r\n");
    await expect.poll(() => gotten.toString(), PATIENCE).toContain("tea");
    expect(harness.accounts[0]?.isStreaming()).toBe(true);
    const ended = once(client, "end");
    cut();
    await ended;
    client.end();
    expect(gotten.toString()).toBe("3\r\ntea\r\n");
  });

  test("a request streams while its body is on its way, and from the answer's head on", async () => {
    await harness.instance((socket) =>
      socket.on("data", (chunk: Buffer) => {
        if (chunk.toString().endsWith("end")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
        if (chunk.toString() === "more") socket.write("tea");
      }),
    );
    client = await harness.client();
    const streams = (): boolean | undefined => harness.accounts[0]?.isStreaming();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nConnection: close\r\n\r\nbeg");
    await expect.poll(streams, PATIENCE).toBe(true);
    const answer = text(client);
    client.write("end");
    await expect.poll(() => harness.accounts[0]?.events, PATIENCE).toContain("responded 200");
    expect(streams()).toBe(true);
    client.destroy();
    await answer.catch(() => "closed");
    harness.accounts.length = 0;
    await harness.instance((socket) => socket.resume());
    const silent = await harness.client();
    silent.write(GET);
    await expect.poll(streams, PATIENCE).toBe(false);
    silent.destroy();
  });

  test("a draining engine says goodbye before its deadline", async () => {
    await begin(UPGRADE("websocket"), SWITCHED("websocket"));
    const drained = harness.engine.drain(2_500);
    await expect.poll(() => gotten, PATIENCE).toEqual(GOING_AWAY);
    client.write(CLOSE_ANSWER);
    upstream.end();
    await once(client, "end");
    client.end();
    await drained;
  });
});
