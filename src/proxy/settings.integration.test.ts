import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PATIENCE, ProxyHarness, tableOf, TRAFFIC } from "../../test/proxy-harness.ts";
import { proxySettings } from "../wire/shapes.ts";

let harness: ProxyHarness;
beforeEach(() => {
  harness = new ProxyHarness();
});
afterEach(() => harness.close());

/** A proxy with these settings in front of an app that answers the fields it got. */
async function start(settings: Parameters<typeof proxySettings.parse>[0]): Promise<void> {
  const app = await harness.app("blue", (request, response) => void response.end(JSON.stringify(request.headers)));
  const { pid } = await harness.startProxy({ settings: proxySettings.parse(settings) });
  await (await harness.peer(pid)).call("apply", tableOf({ blue: [app] }, { blue: 100 }));
}

const TOLD = {
  "x-forwarded-for": "198.51.100.7",
  "x-forwarded-proto": "https",
  "x-forwarded-prefix": "/shop",
  forwarded: "for=198.51.100.7",
  "x-request-id": "theirs",
  traceparent: "00-not-valid",
  tracestate: "a=b",
};

async function got(headers: Record<string, string>): Promise<IncomingHttpHeaders> {
  return (await (await fetch(harness.url, { headers })).json()) as IncomingHttpHeaders;
}

test("by default a proxy on this machine is continued, in X-Forwarded-… alone, and keeps its request id", async () => {
  await start({});
  const fields = await got(TOLD);
  expect(fields).toMatchObject({
    "x-forwarded-for": "198.51.100.7, 127.0.0.1",
    "x-forwarded-proto": "https",
    "x-forwarded-port": "443",
    "x-forwarded-host": `127.0.0.1:${String(harness.port)}`,
    "x-forwarded-prefix": "/shop",
    "x-request-id": "theirs",
  });
  for (const name of ["forwarded", "traceparent", "tracestate"]) expect(fields).not.toHaveProperty(name);
});

test("trusting nobody, both forms are ours, the id is new, and a trace begins", async () => {
  await start({ trustedProxies: [], forwarded: "both", requestId: "replace", traceparent: "create" });
  const fields = await got(TOLD);
  const host = `127.0.0.1:${String(harness.port)}`;
  expect(fields).toMatchObject({
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "http",
    "x-forwarded-port": String(harness.port),
    "x-forwarded-host": host,
    forwarded: `for=127.0.0.1;proto=http;host="${host}"`,
  });
  expect(fields["x-request-id"]).toMatch(/^[\w-]+-\w+$/);
  expect(fields["traceparent"]).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
  for (const name of ["tracestate", "x-forwarded-prefix"]) expect(fields).not.toHaveProperty(name);
  const others = await Promise.all(Array.from({ length: 20 }, () => got({})));
  expect(new Set(others.map((one) => one["x-request-id"])).size).toBe(20);
  expect(new Set(others.map((one) => one["traceparent"])).size).toBe(20);
});

test("affinity by address follows the client behind trusted proxies, and not what a stranger says", async () => {
  const apps = { blue: [await harness.app("blue")], green: [await harness.app("green")] };
  const traffic = { ...TRAFFIC, affinity: "clientAddress" as const };
  const table = tableOf(apps, { blue: 50, green: 50 }, { traffic });
  const sides = async (): Promise<Set<string>> => {
    const ask = async (user: number): Promise<string> =>
      (await fetch(harness.url, { headers: { "x-forwarded-for": `192.0.2.${String(user)}, 10.1.1.1` } })).text();
    return new Set(await Promise.all(Array.from({ length: 60 }, (_, user) => ask(user))));
  };
  const trusting = await harness.startProxy({
    settings: proxySettings.parse({ trustedProxies: ["127.0.0.1", "10.0.0.0/8"] }),
  });
  await (await harness.peer(trusting.pid)).call("apply", table);
  expect(await sides()).toEqual(new Set(["blue", "green"]));
  // It may have ended before its answer was read.
  await (await harness.peer(trusting.pid)).call("drain", { deadlineMs: 0 }).catch(() => undefined);
  await expect.poll(() => harness.ping(trusting.pid), { timeout: 20_000 }).toBeNull();
  const strict = await harness.startProxy({ settings: proxySettings.parse({ trustedProxies: [] }) });
  await (await harness.peer(strict.pid)).call("apply", { ...table, generation: 2 });
  expect((await sides()).size).toBe(1);
});

test("what is refused is counted by reason over all workers, with a few lines that say why", async () => {
  const app = await harness.app("blue");
  const { pid } = await harness.startProxy({ settings: proxySettings.parse({ refusedLines: 4 }) });
  const told = Promise.withResolvers<void>();
  let counts: Readonly<Record<string, number>> = {};
  let accepted = 0;
  let open = -1;
  const peer = await harness.peer(pid, (one) => {
    one.onNotice("sample", ({ connections }) => {
      ({ accepted, open } = connections ?? { accepted, open });
      counts = connections?.refused ?? {};
      told.resolve();
    });
  });
  await peer.call(
    "apply",
    tableOf({ blue: [app] }, { blue: 100 }, { traffic: { ...TRAFFIC, hosts: ["shop.example"] } }),
  );
  await told.promise;
  const send = async (bytes: string): Promise<string> => {
    const socket = connect(harness.port, "127.0.0.1");
    socket.end(Buffer.from(bytes, "latin1"));
    return text(socket);
  };
  expect(await send("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")).toMatch(/^HTTP\/1.1 400 /);
  expect(await send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).toMatch(/^HTTP\/1.1 505 /);
  const lengths = "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n";
  for (let n = 0; n < 8; n += 1) {
    expect(await send(`POST / HTTP/1.1\r\nHost: a\r\n${lengths}\r\n`)).toMatch(/^HTTP\/1.1 400 /);
  }
  expect(await send("GET / HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n")).toMatch(/^HTTP\/1.1 404 /);
  await expect
    .poll(() => Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)), PATIENCE)
    .toEqual({ tls: 1, http2: 1, framing: 8, "no-route": 1 });
  expect(accepted).toBe(11);
  await expect.poll(() => open, PATIENCE).toBe(0);
  const lines = harness.log.split("\n").filter((line) => line.includes("proxy worker: refused 127.0.0.1: "));
  expect(lines.length).toBeGreaterThan(0);
  // Four a minute over two workers: two each, and as many again should a minute end meanwhile.
  expect(lines.length).toBeLessThanOrEqual(8);
  expect(lines[0]).toMatch(/refused 127\.0\.0\.1: (?:tls|http2|framing): [a-zA-Z]/);
});
