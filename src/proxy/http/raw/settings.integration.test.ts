import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { PATIENCE } from "../../../../test/proxy-harness.ts";
import { DEFAULT_PROXY_SETTINGS, type ProxySettings } from "../../../model/proxy-settings.ts";
import { EngineHarness } from "./engine-harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

let harness: EngineHarness;

async function start(settings: Partial<ProxySettings>): Promise<void> {
  harness = new EngineHarness(settings);
  await harness.start();
}

const timeouts = (some: Partial<ProxySettings["timeouts"]>) => ({
  timeouts: { ...DEFAULT_PROXY_SETTINGS.timeouts, ...some },
});
const limits = (some: Partial<ProxySettings["limits"]>) => ({ limits: { ...DEFAULT_PROXY_SETTINGS.limits, ...some } });

afterEach(async () => {
  await harness.close();
  expect(harness.errors).toEqual([]);
});

describe("limits", () => {
  test("a body that is announced too large is a 413 before any instance hears of it; one at the limit passes", async () => {
    await start(limits({ bodyBytes: 5 }));
    const instance = await harness.instance((socket) => socket.on("data", () => socket.write(OK)));
    const client = await harness.client();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345");
    expect(String((await once(client, "data"))[0])).toMatch(/^HTTP\/1.1 200 /);
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n123456");
    expect(await text(client)).toMatch(/^HTTP\/1.1 413 .*Teal-Error: body-too-large\r\n.*Connection: close\r\n/s);
    expect(harness.accounts).toHaveLength(1);
    expect(instance.connections).toBe(1);
    expect(harness.refused).toEqual(["body-too-large 127.0.0.1"]);
  });

  test("a body in chunks that grows too large is a 413, and the instance's connection ends", async () => {
    await start(limits({ bodyBytes: 20 }));
    const instance = await harness.instance(() => undefined);
    const client = await harness.client();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n");
    await expect.poll(() => instance.connections, PATIENCE).toBe(1);
    client.write("a\r\n1234567890\r\n");
    expect(await text(client)).toMatch(/^HTTP\/1.1 413 /);
    await expect.poll(() => instance.sockets.size, PATIENCE).toBe(0);
    await expect.poll(() => harness.accounts[0]?.events, PATIENCE).toEqual(["connected", "gaveUp 413", "end"]);
  });

  test("a head with more bytes, or more fields, is a 431, and a longer target a 414", async () => {
    await start(limits({ headBytes: 16_384, headFields: 20 }));
    const ask = async (request: string): Promise<string> => {
      const client = await harness.client();
      client.write(request);
      return text(client);
    };
    const long = "x".repeat(8_192);
    expect(await ask(`GET /${long} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(/^HTTP\/1.1 414 /);
    expect(await ask(`GET / HTTP/1.1\r\nHost: a\r\nA: ${long}\r\nB: ${long}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
    expect(await ask(`GET / HTTP/1.1\r\nHost: a\r\n${"A: b\r\n".repeat(20)}\r\n`)).toMatch(/^HTTP\/1.1 431 /);
    expect(harness.refused).toEqual([
      "target-too-long 127.0.0.1 the request target is too long",
      "head-too-large 127.0.0.1 the head is too large",
      "head-too-large 127.0.0.1 the head has too many fields",
    ]);
  });

  test("a connection too many is closed, and taken again when another has gone", async () => {
    await start(limits({ connections: 2 }));
    await harness.instance((socket) => socket.on("data", () => socket.write(OK)));
    const [first, second, third] = [await harness.client(), await harness.client(), await harness.client()];
    for (const client of [first, second]) {
      client.write(GET);
      await once(client, "data");
    }
    expect(await text(third)).toBe("");
    first.destroy();
    await expect
      .poll(async () => {
        const client = await harness.client();
        client.write(GET);
        return Promise.race([once(client, "data").then(String), once(client, "end").then(() => "closed")]);
      }, PATIENCE)
      .toMatch(/^HTTP\/1.1 200 /);
  });
});

describe("timeouts", () => {
  test("are as they are set: head, idle, response and body", async () => {
    await start(timeouts({ headMs: 5_000, idleMs: 7_000, responseMs: 9_000, bodyMs: 3_000 }));
    const quiet = await harness.instance(() => undefined);
    const head = await harness.client();
    head.write("GET / HT");
    const body = await harness.client();
    body.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    const response = await harness.client();
    response.write(GET);
    const idle = await harness.client();
    await expect.poll(() => quiet.connections, PATIENCE).toBe(2);
    await harness.settled();
    harness.skewMs += 3_100;
    expect(await text(body)).toMatch(/^HTTP\/1.1 408 /);
    harness.skewMs += 2_000;
    expect(await text(head)).toMatch(/^HTTP\/1.1 408 /);
    harness.skewMs += 3_000;
    expect(await text(idle)).toBe("");
    harness.skewMs += 2_000;
    expect(String((await once(response, "data"))[0])).toMatch(/^HTTP\/1.1 504 .*/);
    await harness.instance((socket) => socket.on("data", () => socket.write(OK)));
    response.write(GET);
    expect(String((await once(response, "data"))[0])).toMatch(/Keep-Alive: timeout=7\r\n/);
    expect(harness.refused).toEqual([
      "request-timeout 127.0.0.1",
      "head-timeout 127.0.0.1",
      "gateway-timeout 127.0.0.1",
    ]);
  });
});

describe("bytes that may not be passed on are told with their reason", () => {
  test("of a client's body, and of an instance's answer", async () => {
    await start({});
    const instance = await harness.instance((socket) => socket.once("data", () => socket.end("HTTP/1.1 oops\r\n\r\n")));
    const body = await harness.client();
    body.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    expect(await text(body)).toMatch(/^HTTP\/1.1 400 /);
    const answer = await harness.client();
    answer.write(GET);
    expect(String((await once(answer, "data"))[0])).toMatch(/^HTTP\/1.1 502 /);
    expect(harness.refused).toEqual([
      "bad-body 127.0.0.1 a chunk's size is not valid",
      `bad-answer 127.0.0.1:${String(instance.port)} the status line is not valid`,
      "bad-gateway 127.0.0.1",
    ]);
    body.destroy();
    answer.destroy();
    await expect.poll(() => harness.open, PATIENCE).toBe(0);
  });
});
