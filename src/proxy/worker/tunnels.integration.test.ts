import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { PATIENCE } from "../../../test/proxy-harness.ts";
import { type RawClient, WorkerHarness } from "./worker-harness.ts";

const UPGRADE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
const MIB = 1_048_576;
/** What both kernels may hold of a stalled connection is a few MiB, and more of it must stay with who sends. */
const MUCH = 64 * MIB;
/** Of the test's process, which is the worker's, too: far below what would have piled up. */
const MEMORY_ALLOWED = 24 * MIB;

describe("tunnels", () => {
  let harness: WorkerHarness;
  let inner: Socket;
  let taken: number;

  /** An open tunnel: the client's end, and the instance's in `inner`. */
  const open = async (): Promise<RawClient> => {
    taken = 0;
    harness = await new WorkerHarness((socket) => {
      inner = socket;
      socket.once("data", () => {
        socket.on("data", (chunk: Buffer) => (taken += chunk.length));
        socket.write(SWITCHED);
      });
    }).start();
    const client = await harness.client();
    client.socket.write(UPGRADE);
    await expect.poll(() => client.text, PATIENCE).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\n$/s);
    return client;
  };

  /** Writes until the other side takes no more, and returns how many bytes that were. */
  const flood = async (socket: Socket): Promise<number> => {
    const chunk = Buffer.alloc(65_536, 1);
    let sent = 0;
    const more = (): void => {
      while (sent < MUCH && socket.writable) {
        sent += chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on("drain", more);
    more();
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = sent === before;
          before = sent;
          return isStill;
        },
        { timeout: 20_000, interval: 250 },
      )
      .toBe(true);
    return sent;
  };

  afterEach(async () => {
    await harness.close();
    await expect.poll(() => harness.underWay.sockets, PATIENCE).toBe(0);
    expect(harness.errors).toEqual([]);
  });

  test("an instance that takes nothing holds its client back, and is let go in time", async () => {
    const client = await open();
    inner.pause();
    const before = process.memoryUsage().arrayBuffers;
    expect(await flood(client.socket)).toBeLessThan(MUCH / 2);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MEMORY_ALLOWED);
    harness.nowMs += 119_000;
    inner.write("still here");
    await expect.poll(() => client.text, PATIENCE).toMatch(/still here$/);
    // To send is not to take.
    harness.nowMs += 2_000;
    await expect.poll(() => client.ended, PATIENCE).not.toBe("");
    await expect.poll(() => harness.underWay, PATIENCE).toMatchObject({ inFlight: 0, inLedger: 0, atInstance: 0 });
  });

  test("a client that takes nothing holds its instance back; what it takes later is whole", async () => {
    const client = await open();
    client.socket.pause();
    const before = process.memoryUsage().arrayBuffers;
    const sent = await flood(inner);
    expect(sent).toBeLessThan(MUCH / 2);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MEMORY_ALLOWED);
    client.text = "";
    client.socket.resume();
    await expect.poll(() => client.text.length, { timeout: 20_000 }).toBe(MUCH);
    client.socket.pause();
    harness.nowMs += 1_000;
    client.socket.write("x".repeat(1_000));
    await expect.poll(() => taken, PATIENCE).toBe(1_000);
  });

  test("a client that never takes what waits for it is let go", async () => {
    const client = await open();
    client.socket.pause();
    await flood(inner);
    harness.nowMs += 121_000;
    await expect.poll(() => harness.underWay, PATIENCE).toMatchObject({ inFlight: 0, inLedger: 0 });
    await expect.poll(() => inner.destroyed, PATIENCE).toBe(true);
  });

  test("bytes of either side keep it, and silence of both ends it", async () => {
    const client = await open();
    for (const from of [client.socket, inner]) {
      harness.nowMs += 3_500_000;
      const before = [taken, client.text.length];
      from.write("ping");
      await expect.poll(() => [taken, client.text.length], PATIENCE).not.toEqual(before);
    }
    // Idle, and so ended by the first look at the deadlines after the time has passed.
    const idle = await harness.client();
    harness.nowMs += 3_599_000;
    await expect.poll(() => idle.ended, PATIENCE).toBe("end");
    expect(client.ended).toBe("");
    harness.nowMs += 4_000;
    await expect.poll(() => client.ended, PATIENCE).toBe("end");
    harness.nowMs += 4_000;
    await expect.poll(() => inner.destroyed, PATIENCE).toBe(true);
    await expect.poll(() => harness.underWay, PATIENCE).toMatchObject({ inFlight: 0, inLedger: 0 });
  });

  test("a client that leaves while its instance does not read: what was said arrives all the same", async () => {
    const client = await open();
    inner.pause();
    const chunk = Buffer.alloc(65_536, 1);
    for (let n = 0; n < 64; n += 1) client.socket.write(chunk);
    client.socket.end();
    inner.resume();
    await expect.poll(() => taken, PATIENCE).toBe(64 * chunk.length);
    client.socket.destroy();
    await expect.poll(() => harness.underWay, PATIENCE).toMatchObject({ inFlight: 0, inLedger: 0 });
  });

  test("a tunnel that is cut: an instance that does not take what was said is not waited for", async () => {
    const client = await open();
    inner.pause();
    await flood(client.socket);
    harness.cut();
    await expect.poll(() => client.ended, PATIENCE).toBe("end");
    harness.nowMs += 3_000;
    await expect.poll(() => harness.underWay, PATIENCE).toMatchObject({ inFlight: 0, inLedger: 0 });
    expect(inner.destroyed).toBe(false);
    harness.nowMs += 121_000;
    // It reads again, as a socket that is not read hears of no end; what the worker kept for it is gone.
    await expect.poll(() => harness.underWay.sockets, PATIENCE).toBeLessThanOrEqual(2);
    inner.resume();
    await expect.poll(() => inner.destroyed, PATIENCE).toBe(true);
    expect(taken).toBeLessThan(MUCH / 2);
  });
});
