import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import autocannon from "autocannon";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Peer } from "../src/wire/peer.ts";
import type { ProxyProtocol } from "../src/wire/proxy.ts";
import { type App, PATIENCE, ProxyHarness, tableOf } from "./proxy-harness.ts";
import { requires } from "./requires.ts";

const run = promisify(execFile);
/** Only a broken product comes near. */
const TOOL_MS = 60_000;
const SWITCH_EVERY_MS = 60;
const LOAD_SECONDS = 2;
const DRAIN_MS = 60_000;
const LARGE = randomBytes(4_194_304);

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** `/` says hello, `/large` has bytes and takes ranges, `/digest` tells the digest of what it gets, `/text` may be packed. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request);
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (request.url === "/digest") response.end(sha256(body));
  else if (request.url === "/text" && request.headers["accept-encoding"]?.includes("gzip") === true)
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("tea ".repeat(1_000)));
  else if (request.url === "/large" && range !== null)
    response.writeHead(206).end(LARGE.subarray(Number(range[1]), Number(range[2]) + 1));
  else if (request.url === "/large") response.writeHead(200, { "content-length": LARGE.length }).end(LARGE);
  else response.end("hello");
}

describe("clients that others wrote, while the traffic goes there and back", () => {
  let harness: ProxyHarness;
  let apps: Record<"blue" | "green", readonly App[]>;
  let peer: Peer<ProxyProtocol>;
  let proxy: Awaited<ReturnType<ProxyHarness["startProxy"]>>;

  beforeEach(async () => {
    harness = new ProxyHarness();
    const app = (name: string): Promise<App> =>
      harness.app(name, (request, response) => {
        serve(request, response).catch(() => response.destroy());
      });
    apps = { blue: [await app("blue"), await app("blue")], green: [await app("green"), await app("green")] };
    proxy = await harness.startProxy();
    peer = await harness.peer(proxy.pid);
    await peer.call("apply", tableOf(apps, { blue: 100 }));
  });
  afterEach(() => harness.close());

  /** Switches for as long as the client runs; at least ten times, or the test says nothing. */
  async function whileSwitching<T>(client: Promise<T>): Promise<T> {
    const ended = new AbortController();
    let generation = 1;
    const switching = (async () => {
      while (!ended.signal.aborted || generation <= 10) {
        generation += 1;
        await peer.call("apply", tableOf(apps, { [generation % 2 === 0 ? "green" : "blue"]: 100 }, { generation }));
        await sleep(SWITCH_EVERY_MS);
      }
    })();
    try {
      return await client;
    } finally {
      ended.abort();
      await switching;
      expect(bothServed()).toBe(true);
    }
  }

  const bothServed = (): boolean => Object.values(apps).every((side) => side.some(({ requests }) => requests > 0));

  const tool = async (program: string, ...args: readonly string[]): Promise<string> =>
    (await run(program, [...args], { timeout: TOOL_MS, maxBuffer: 64 * 1_048_576 })).stdout;

  test("autocannon, pipelining, counts no error", async () => {
    const load = autocannon({ url: harness.url, connections: 8, pipelining: 4, duration: LOAD_SECONDS });
    const { errors, timeouts, non2xx, resets, mismatches, ...rest } = await whileSwitching(Promise.resolve(load));
    expect({ errors, timeouts, non2xx, resets, mismatches }).toEqual({
      errors: 0,
      timeouts: 0,
      non2xx: 0,
      resets: 0,
      mismatches: 0,
    });
    expect(rest["2xx"]).toBeGreaterThan(0);
  });

  test("autocannon, with bodies, counts no error", async () => {
    const load = autocannon({
      url: `${harness.url}/digest`,
      connections: 8,
      duration: LOAD_SECONDS,
      method: "POST",
      body: "x".repeat(20_000),
      expectBody: sha256(Buffer.alloc(20_000, "x")),
    });
    const { errors, timeouts, non2xx, resets, mismatches } = await whileSwitching(Promise.resolve(load));
    expect([errors, timeouts, non2xx, resets, mismatches]).toEqual([0, 0, 0, 0, 0]);
  });

  test("wrk counts no error", async (context) => {
    const wrk = requires(context, "wrk");
    const said = await whileSwitching(tool(wrk, "-t1", "-c8", `-d${String(LOAD_SECONDS)}s`, harness.url));
    expect(said).not.toMatch(/Socket errors|Non-2xx/);
    expect(Number(/(\d+) requests in/.exec(said)?.[1])).toBeGreaterThan(0);
  });

  test.for([
    ["kept connections", []],
    ["a connection for each request", ["-disable-keepalive"]],
    ["POST", ["-m", "POST", "-d", "tea"]],
  ] as const)("hey counts no error: %s", async ([, options], context) => {
    const hey = requires(context, "hey");
    const said = await whileSwitching(tool(hey, "-z", `${String(LOAD_SECONDS)}s`, "-c", "8", ...options, harness.url));
    expect(said).not.toContain("Error distribution");
    expect([...said.matchAll(/\[(\d{3})\]\s+\d+ responses/g)].map(([, status]) => status)).toEqual(["200"]);
  });

  test("curl, in each way that it has of sending and taking", async (context) => {
    const curl = requires(context, "curl");
    const upload = join(harness.folder, "upload");
    writeFileSync(upload, LARGE);
    const digest = sha256(LARGE);
    const half = sha256(LARGE.subarray(1_000, 2_001_000));
    const ways: readonly (readonly [string, readonly string[], string, string])[] = [
      ["HTTP/1.0", ["--http1.0"], "/", "hello"],
      ["a chunked upload", ["-T", "-", "-H", "Transfer-Encoding: chunked"], "/digest", digest],
      ["an upload", ["-T", upload], "/digest", digest],
      ["100-continue", ["--expect100-timeout", "20", "-H", "Expect: 100-continue", "-T", upload], "/digest", digest],
      ["Connection: close", ["-H", "Connection: close"], "/", "hello"],
      ["--keepalive-time", ["--keepalive-time", "1"], "/", "hello"],
      ["a range", ["-r", "1000-2000999"], "/large", half],
      ["--compressed", ["--compressed"], "/text", "tea ".repeat(1_000)],
      ["a large download", [], "/large", digest],
    ];
    const one = async ([what, options, path, expected]: (typeof ways)[number]): Promise<void> => {
      const args = ["-sS", "--fail", "--max-time", "50", ...options, `${harness.url}${path}`];
      const child = spawn(curl, args, { timeout: TOOL_MS });
      child.stdin.end(options.includes("-") ? LARGE : undefined);
      const [[code], out, err] = await Promise.all([
        once(child, "exit") as Promise<[number | null]>,
        buffer(child.stdout),
        text(child.stderr),
      ]);
      const came = path === "/large" ? sha256(out) : out.toString();
      expect([what, code, err, came]).toEqual([what, 0, "", expected]);
    };
    await whileSwitching(
      (async () => {
        for (let round = 0; round < 3; round += 1) for (const way of ways) await one(way);
        const head = await tool(curl, "-sS", "-I", "--max-time", "50", `${harness.url}/large`);
        expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
        expect(head.toLowerCase()).toContain(`content-length: ${String(LARGE.length)}\r\n`);
        // Several on one connection, as its own words tell.
        const urls = Array.from({ length: 20 }, () => harness.url);
        const { stdout, stderr } = await run(curl, ["-sSv", ...urls], { timeout: TOOL_MS });
        expect(stdout).toBe("hello".repeat(20));
        expect(stderr.match(/Re-?using existing .*connection/g)).toHaveLength(19);
      })(),
    );
  });

  test("a client that ends its side right behind its request gets the whole answer", async () => {
    await whileSwitching(
      (async () => {
        for (let n = 0; n < 20 || !bothServed(); n += 1) {
          const socket = connect({ port: harness.port, host: "127.0.0.1", allowHalfOpen: true });
          socket.end("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
          const answer = await buffer(socket);
          expect(sha256(answer.subarray(answer.indexOf("\r\n\r\n") + 4))).toBe(sha256(LARGE));
        }
      })(),
    );
  });

  test("kept connections of wrk, hey and autocannon move to the next proxy without an error", async (context) => {
    const wrk = requires(context, "wrk");
    const hey = requires(context, "hey");
    const old = proxy;
    // One of our own as well, by which the old proxy cannot be gone before it is asked to drain.
    const kept = connect(harness.port, "127.0.0.1");
    const ask = async (): Promise<string> => {
      kept.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      const closed = once(kept, "close").then(() => "the connection was closed");
      return String(await Promise.race([once(kept, "data").then(([data]: Buffer[]) => data), closed]));
    };
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 .*\r\nConnection: keep-alive\r\n/s);
    const loads = Promise.all([
      tool(wrk, "-t1", "-c4", "-d6s", harness.url),
      tool(hey, "-z", "6s", "-c", "4", harness.url),
      autocannon({ url: harness.url, connections: 4, duration: 6 }),
    ]);
    const served = (): number => apps.blue.reduce((sum, { requests }) => sum + requests, 0);
    await expect.poll(served, PATIENCE).toBeGreaterThan(100);
    await harness.startProxy();
    const exit = once(old, "exit");
    await peer.call("drain", { deadlineMs: DRAIN_MS });
    const drainedAt = performance.now();
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 .*\r\nConnection: close\r\n/s);
    kept.end();
    expect(await exit).toEqual([0, null]);
    // Before the deadline: each connection ended with its next answer.
    expect(performance.now() - drainedAt).toBeLessThan(DRAIN_MS);
    const [ofWrk, ofHey, ofAutocannon] = await loads;
    expect(ofWrk).not.toMatch(/Socket errors|Non-2xx/);
    expect(ofHey).not.toContain("Error distribution");
    expect([ofAutocannon.errors, ofAutocannon.timeouts, ofAutocannon.non2xx]).toEqual([0, 0, 0]);
  });
});
