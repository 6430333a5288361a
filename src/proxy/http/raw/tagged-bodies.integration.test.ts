import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EngineHarness } from "./engine-harness.ts";

interface Step {
  readonly method: "GET" | "POST" | "HEAD";
  readonly isChunked: boolean;
  readonly sizeIn: number;
  readonly sizeOut: number;
  readonly fault: "none" | "reset" | "break" | "close" | "early";
}

/** One client: its requests, how its bytes are cut, and after how many bytes it leaves (0: it stays). */
interface ClientCase {
  readonly steps: readonly Step[];
  readonly cuts: readonly number[];
  readonly leavesAfter: number;
}

const step = fc.record<Step>({
  method: fc.constantFrom("GET", "POST", "HEAD"),
  isChunked: fc.boolean(),
  sizeIn: fc.oneof(fc.nat(200), fc.nat(90_000)),
  sizeOut: fc.oneof(fc.nat(200), fc.nat(200_000)),
  fault: fc.oneof(
    { weight: 6, arbitrary: fc.constant("none" as const) },
    fc.constantFrom("reset", "break", "close", "early"),
  ),
});
const client = fc.record<ClientCase>({
  steps: fc.array(step, { minLength: 1, maxLength: 5 }),
  cuts: fc.array(fc.nat(3_000), { maxLength: 6 }),
  leavesAfter: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 50_000 })),
});

/** Filled with its tag, so that a byte of another is seen. */
const fill = (tag: string, size: number): string => `<${tag}>`.repeat(Math.ceil(size / (tag.length + 2)));

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://a");
  const tag = url.searchParams.get("tag") ?? "";
  const fault = url.searchParams.get("fault");
  const body = fill(tag, Number(url.searchParams.get("out")));
  let isForeign = false;
  request.setEncoding("latin1");
  const allowed = new Set(`<${tag}>`);
  request.on("data", (chunk: string) => {
    for (const byte of chunk) if (!allowed.has(byte)) isForeign = true;
  });
  const finish = (): void => {
    if (fault === "reset") {
      request.socket.destroy();
      return;
    }
    response.setHeader("x-tag", isForeign ? "foreign" : tag);
    if (fault === "close") response.setHeader("Connection", "close");
    if (url.searchParams.get("chunked") !== "true") response.setHeader("Content-Length", body.length);
    if (fault === "break") response.write(body.slice(0, body.length / 2), () => request.socket.destroy());
    else response.end(body);
  };
  if (fault === "early") finish();
  else request.on("end", finish);
}

function bytesOf(tag: string, { method, isChunked, sizeIn, sizeOut, fault }: Step): string {
  const target = `/?tag=${tag}&out=${String(sizeOut)}&chunked=${String(isChunked)}&fault=${fault}`;
  const head = `${method} ${target} HTTP/1.1\r\nHost: a\r\n`;
  if (method !== "POST") return `${head}\r\n`;
  const body = fill(tag, sizeIn);
  if (!isChunked || body === "") return `${head}Content-Length: ${String(body.length)}\r\n\r\n${body}`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

describe("bytes of clients side by side", () => {
  let harness: EngineHarness;
  const server = createServer(answer);
  beforeEach(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    harness = new EngineHarness();
    harness.ports = [(server.address() as AddressInfo).port];
    await harness.start();
  });
  afterEach(async () => {
    await harness.close();
    server.close();
    server.closeAllConnections();
  });

  /** Everything that one client got. */
  const run = async (name: string, { steps, cuts, leavesAfter }: ClientCase): Promise<string> => {
    const socket = await harness.client();
    const bytes = steps.map((one, index) => bytesOf(`${name}${String.fromCharCode(97 + index)}`, one)).join("");
    let got = "";
    socket.on("data", (chunk: Buffer) => {
      got += chunk.toString("latin1");
      if (leavesAfter > 0 && got.length > leavesAfter) socket.resetAndDestroy();
    });
    let at = 0;
    for (const cut of cuts) {
      socket.write(bytes.slice(at, at + cut), "latin1");
      at += cut;
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (socket.writable) socket.end(bytes.slice(at), "latin1");
    if (!socket.closed) await once(socket, "close").catch(() => undefined);
    return got;
  };

  test("never one client's bytes in another's answer, nor one request's in another's", async () => {
    let tags = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(client, { minLength: 2, maxLength: 6 }), async (clients) => {
        const names = clients.map(() => {
          tags += 1;
          return `${tags.toString(10)}-`;
        });
        const all = await Promise.all(clients.map((one, index) => run(names[index] ?? "", one)));
        all.forEach((got, index) => {
          const name = names[index] ?? "";
          expect(got).not.toContain("foreign");
          // Whatever was tagged, in fields and bodies, is this client's, and in the order of its requests.
          const seen = [...got.matchAll(/<(\d+-)([a-z])>|x-tag: (\d+-)([a-z])/gi)];
          expect(seen.filter((found) => (found[1] ?? found[3]) !== name)).toEqual([]);
          const order = seen.map((found) => found[2] ?? found[4] ?? "");
          expect(order).toEqual(order.toSorted());
        });
      }),
      { numRuns: 150 },
    );
    expect(harness.errors).toEqual([]);
  });
});
