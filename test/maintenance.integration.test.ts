import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LoadGenerator } from "../bench/lib/load-generator.ts";
import { Site } from "./site.ts";

const PAGE = "<h1>Moving house</h1>\n";

/** A service with a page of its own; nobody of this machine is let through. */
async function site(): Promise<Site> {
  const made = await Site.create({
    traffic: { maintenance: { page: "./page.html", retryAfter: "90s", hold: { deadline: "2m", most: 10_000 } } },
  });
  await writeFile(join(made.dir, "page.html"), PAGE);
  try {
    await made.start();
  } catch (thrown) {
    await made[Symbol.asyncDispose]();
    throw thrown;
  }
  expect((await made.deployed("v1")).state).toBe("completed");
  return made;
}

/** Status and Teal-Error of one request; `refused` when nobody listens. */
async function answered(made: Site): Promise<string> {
  try {
    const answer = await fetch(made.url, { headers: { connection: "close" } });
    await answer.arrayBuffer();
    return `${String(answer.status)} ${answer.headers.get("teal-error") ?? "app"}`;
  } catch {
    return "refused";
  }
}

/** What the status says; it leaves out what a busy machine does not answer within a second. */
const shown = (made: Site) =>
  made.until("the proxy answers the survey", async () => {
    const { maintenance } = await made.service();
    return maintenance !== null && maintenance.live !== null && maintenance;
  });

const isOn = (made: Site) => async (): Promise<boolean> => (await answered(made)) === "503 maintenance";

test("a hold by the command line during a deployment, under load: nothing is lost", async () => {
  await using made = await site();
  const load = new LoadGenerator({ url: made.url, rate: 40, mostMs: 600_000, timeoutMs: 110_000 });
  load.start();
  const id = await made.deploy("v2");
  await made.atStep(id, "shift-10");
  const held = await made.cli("maintenance", "hold", "--for", "5m", "--reason", "a short stop", "--json");
  expect(JSON.parse(held.stdout)).toMatchObject({
    service: "web",
    mode: "hold",
    reason: "a short stop",
    changed: true,
  });
  const waiting = async (): Promise<boolean> =>
    /teal_proxy_waiting\{service="web"\} [1-9]/.test(await made.client.metrics());
  await made.until("requests wait", waiting);
  expect(await shown(made)).toMatchObject({ mode: "hold", live: "hold" });
  const off = await made.cli("maintenance", "off");
  expect(off).toMatchObject({ code: 0, stdout: "web: the app gets the requests.\n" });
  expect((await made.ended(id)).state).toBe("completed");
  const { lost, examples, ok } = await made.settled(load);
  expect({ lost, examples }).toEqual({ lost: 0, examples: [] });
  expect(ok).toBeGreaterThan(100);
  expect((await made.service()).maintenance).toBeNull();
  const metrics = await made.client.metrics();
  const count = (name: string): number =>
    Number(new RegExp(`^${name}\\{service="web"\\} (\\d+)$`, "m").exec(metrics)?.[1]);
  expect(count("teal_proxy_hold_requests_total")).toBeGreaterThan(0);
  expect(count("teal_proxy_hold_released_total")).toBe(count("teal_proxy_hold_requests_total"));
  expect(count("teal_proxy_hold_timeouts_total")).toBe(0);
});

test("on stays through kill -9 of proxy and server, a deployment, and down and up, until it is off", async () => {
  await using made = await site();
  const on = await made.cli("maintenance", "on", "--reason", "moving", "--yes");
  expect(on).toMatchObject({ code: 0, stdout: "web: requests get the maintenance page.\n" });
  const answer = await fetch(made.url);
  expect([answer.status, answer.headers.get("retry-after"), await answer.text()]).toEqual([503, "90", PAGE]);

  const before = await made.pids();
  for (const pid of before.proxies) process.kill(pid, "SIGKILL");
  const seen = new Set<string>();
  await made.until("the next proxy answers", async () => {
    const one = await answered(made);
    seen.add(one);
    return one === "503 maintenance";
  });
  // Not one request got to the app meanwhile.
  expect([...seen].filter((one) => one.endsWith("app"))).toEqual([]);
  if (before.server === null) throw new Error("the server does not run");
  process.kill(before.server, "SIGKILL");
  expect((await made.until("the next server", async () => made.service())).maintenance).toMatchObject({ mode: "on" });
  expect((await made.deployed("v2")).state).toBe("completed");
  expect(await answered(made)).toBe("503 maintenance");

  expect(await made.cli("down", "--yes")).toMatchObject({ code: 0 });
  await made.start();
  await made.until("it is on again", isOn(made));
  expect(await shown(made)).toMatchObject({ mode: "on", live: "on", by: expect.any(String), reason: "moving" });
  expect((await made.cli("status")).stdout).toMatch(
    /maintenance +on: requests get the maintenance page, by .* \(moving\)/,
  );
  expect((await made.cli("maintenance", "off")).code).toBe(0);
  expect((await made.cli("maintenance", "off")).stdout).toBe("web: the app gets the requests, as before.\n");
  expect(await answered(made)).toBe("200 app");
  const events = (await made.cli("events")).stdout;
  expect(events).toMatch(/maintenance is on, by .* \(moving\)/);
  expect(events).toMatch(/maintenance is off, by /);
});

test("a broken teal.yaml and a page that has gone do not stand in the way, and are told", async () => {
  await using made = await site();
  await writeFile(join(made.dir, "teal.yaml"), "version: 1\nservices: [\n");
  const broken = await made.cli("maintenance", "on", "--config", "teal.yaml");
  expect(broken).toMatchObject({ code: 0, stderr: expect.stringContaining("teal.yaml cannot be read") });
  expect(await (await fetch(made.url)).text()).toBe(PAGE);
  await rm(join(made.dir, "page.html"));
  const plain = await made.cli("maintenance", "on", "--config", "teal.yaml");
  expect(plain).toMatchObject({ code: 0, stderr: expect.stringContaining("page.html does not exist") });
  expect(await (await fetch(made.url)).text()).toContain("Back soon");
  await made.cli("maintenance", "off");
  expect(await answered(made)).toBe("200 app");
});
