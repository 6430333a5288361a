import { readFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type App, HEALTH, PATIENCE, ProxyHarness, tableOf } from "../../test/proxy-harness.ts";
import { proxySettings } from "../wire/shapes.ts";

let harness: ProxyHarness;
beforeEach(() => {
  harness = new ProxyHarness();
});
afterEach(() => harness.close());

const settings = proxySettings.parse({ accessLog: { to: "file" } });

function lines(): Record<string, unknown>[] {
  const path = join(harness.paths.logs, "access.log");
  return readFileSync(path, { encoding: "utf8", flag: "a+" })
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const line = (path: string) => lines().find((one) => one["path"] === path);

async function start(app: App): Promise<number> {
  const { pid } = await harness.startProxy({ settings });
  await (await harness.peer(pid)).call("apply", tableOf({ blue: [app] }, { blue: 100 }));
  return pid;
}

test("a line for each request: answered, refused, and left by its client", async () => {
  const app = await harness.app("blue", (asked, response) => {
    if (asked.url?.startsWith("/never") !== true) asked.resume().on("end", () => response.end("hello"));
  });
  await start(app);
  const headers = { "x-request-id": "mine", "x-forwarded-for": "192.0.2.7" };
  await (await fetch(`${harness.url}/a?token=secret`, { method: "POST", body: "12345", headers })).text();
  await (await fetch(`${harness.url}/b`)).text();
  const leaving = request(`${harness.url}/never`).on("error", () => undefined);
  leaving.end();
  await expect.poll(() => app.requests, PATIENCE).toBe(3);
  leaving.destroy();
  const stray = connect(harness.port, "127.0.0.1");
  stray.end("nonsense\r\n\r\n");
  await text(stray);
  await expect.poll(() => lines().length, PATIENCE).toBe(4);

  expect(line("/a")).toMatchObject({
    service: "web",
    environment: "blue",
    instance: "web/blue/v1/0",
    release: "v1",
    client: "192.0.2.7",
    method: "POST",
    host: `127.0.0.1:${String(harness.port)}`,
    status: 200,
    requestId: "mine",
    retries: 0,
    rescued: false,
    held: false,
    tealError: null,
    aborted: false,
  });
  const { bytesIn, bytesOut, durationMs, responseMs, time } = line("/a") ?? {};
  expect(Number(bytesIn)).toBeGreaterThan(100);
  expect(Number(bytesOut)).toBeGreaterThan(60);
  expect(Number(durationMs)).toBeGreaterThanOrEqual(Number(responseMs));
  expect(Math.abs(Date.now() - Date.parse(String(time)))).toBeLessThan(60_000);
  expect(JSON.stringify(lines())).not.toContain("secret");
  expect(String(line("/b")?.["requestId"])).toMatch(/^[\w-]+-\w+$/);
  expect(line("/never")).toMatchObject({ status: 499, aborted: true, instance: "web/blue/v1/0" });
  expect(lines().find((one) => one["method"] === null)).toMatchObject({
    status: 400,
    tealError: "bad-request",
    client: "127.0.0.1",
    path: null,
    service: null,
    bytesIn: 12,
  });
});

test("a retry, and a service that nobody has, are told", async () => {
  const gone = await harness.app("gone");
  const app = await harness.app("blue");
  // Only a request finds out that one of them has gone: no check does meanwhile.
  const table = tableOf({ blue: [gone, app] }, { blue: 100 }, { health: { ...HEALTH, intervalMs: 600_000 } });
  await gone.stop();
  const { pid } = await harness.startProxy({ settings, workers: 1 });
  expect((await fetch(`${harness.url}/early`)).status).toBe(503);
  await (await harness.peer(pid)).call("apply", table);
  for (let n = 0; n < 20; n += 1) expect((await fetch(`${harness.url}/n${String(n)}`)).status).toBe(200);
  await expect.poll(() => lines().length, PATIENCE).toBe(21);
  expect(line("/early")).toMatchObject({ status: 503, tealError: "no-release", service: null, instance: null });
  const served = lines().filter((one) => one["status"] === 200);
  expect(served.some((one) => one["retries"] === 1)).toBe(true);
  expect(new Set(served.map((one) => one["instance"]))).toEqual(new Set(["web/blue/v1/1"]));
});

test("a proxy that drains writes its last lines before it ends", async () => {
  const app = await harness.app("blue");
  const pid = await start(app);
  const asked = 30;
  await Promise.all(
    Array.from({ length: asked }, async () => (await fetch(harness.url, { headers: { connection: "close" } })).text()),
  );
  // It may have ended before its answer was read.
  await (await harness.peer(pid)).call("drain", { deadlineMs: 5_000 }).catch(() => undefined);
  await expect.poll(() => harness.ping(pid), PATIENCE).toBeNull();
  await expect.poll(() => lines().length, PATIENCE).toBe(asked);
});

test("no file where none is asked for", async () => {
  const app = await harness.app("blue");
  const { pid } = await harness.startProxy();
  await (await harness.peer(pid)).call("apply", tableOf({ blue: [app] }, { blue: 100 }));
  expect(await (await fetch(harness.url)).text()).toBe("blue");
  // It may have ended before its answer was read.
  await (await harness.peer(pid)).call("drain", { deadlineMs: 0 }).catch(() => undefined);
  await expect.poll(() => harness.ping(pid), PATIENCE).toBeNull();
  expect(() => readFileSync(join(harness.paths.logs, "access.log"))).toThrow("ENOENT");
});
