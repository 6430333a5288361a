import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PATIENCE } from "../../../../test/proxy-harness.ts";
import { EngineHarness } from "./engine-harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

describe("timeouts of a raw engine", () => {
  let harness: EngineHarness;
  beforeEach(async () => {
    harness = new EngineHarness();
    await harness.start();
  });
  afterEach(async () => {
    await harness.close();
    expect(harness.errors).toEqual([]);
  });

  test("a head that does not get on is a 408, however slowly it comes", async () => {
    const client = await harness.client();
    client.write("GET / HT");
    await harness.settled();
    harness.skewMs += 20_000;
    client.write("TP/1.1\r\nHost: a\r\n");
    await harness.settled();
    harness.skewMs += 11_000;
    expect(await text(client)).toMatch(/^HTTP\/1.1 408 .*Teal-Error: request-timeout/s);
  });

  test("idle connections are closed after the announced time, without a word", async () => {
    const instance = await harness.instance((socket) => socket.on("data", () => socket.write(OK)));
    const client = await harness.client();
    client.write(GET);
    const [answer] = (await once(client, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/Keep-Alive: timeout=65/);
    harness.skewMs += 55_000;
    await harness.settled();
    expect(client.readableEnded).toBe(false);
    harness.skewMs += 12_000;
    expect(await text(client)).toBe("");
    // What was kept to the instance, too.
    await expect.poll(() => instance.sockets.size, PATIENCE).toBe(0);
  });

  test("a body that stops is a 408", async () => {
    const instance = await harness.instance(() => undefined);
    const client = await harness.client();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    await expect.poll(() => instance.connections, PATIENCE).toBe(1);
    await harness.settled();
    harness.skewMs += 61_000;
    expect(await text(client)).toMatch(/^HTTP\/1.1 408 /);
    await expect.poll(() => harness.accounts[0]?.events, PATIENCE).toEqual(["connected", "gaveUp 408", "end"]);
    await expect.poll(() => instance.sockets.size, PATIENCE).toBe(0);
  });

  test("an answer that does not begin is a 504; one that has begun may pause", async () => {
    const instance = await harness.instance(() => undefined);
    const client = await harness.client();
    client.write(GET);
    await expect.poll(() => instance.connections, PATIENCE).toBe(1);
    await harness.settled();
    harness.skewMs += 61_000;
    const [refusal] = (await once(client, "data")) as [Buffer];
    expect(refusal.toString()).toMatch(/^HTTP\/1.1 504 .*Teal-Error: gateway-timeout/s);
    expect(instance.connections).toBe(1);
    const slow = await harness.instance((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"));
    });
    client.write(GET);
    await once(client, "data");
    harness.skewMs += 600_000;
    await harness.settled();
    for (const socket of slow.sockets) socket.write("cd");
    const [rest] = (await once(client, "data")) as [Buffer];
    expect(rest.toString()).toBe("cd");
  });

  test("a client that takes nothing of its answer for long is let go", async () => {
    const instance = await harness.instance((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        socket.write(Buffer.alloc(100_000_000));
      });
    });
    const client = await harness.client();
    client.pause();
    client.write(GET);
    await expect.poll(() => harness.accounts[0]?.events, PATIENCE).toContain("responded 200");
    await harness.settled();
    harness.skewMs += 130_000;
    await expect.poll(() => instance.sockets.size, PATIENCE).toBe(0);
  });

  test("a drain waits for answers under way, says close, and ends what is left at its deadline", async () => {
    await harness.instance((socket) => socket.on("data", () => setTimeout(() => socket.write(OK), 100)));
    const [busy, idle] = [await harness.client(), await harness.client()];
    busy.write(GET);
    await expect.poll(() => harness.accounts.length, PATIENCE).toBe(1);
    const drained = harness.engine.drain(700);
    expect(await text(busy)).toMatch(/^HTTP\/1.1 200 .*Connection: close.*ok$/s);
    idle.write(GET);
    expect(await text(idle)).toMatch(/Connection: close/);
    await drained;
  });
});
