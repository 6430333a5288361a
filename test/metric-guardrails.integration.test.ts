import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { LoadGenerator } from "../bench/lib/load-generator.ts";
import { Prometheus } from "./prometheus.ts";
import { requires } from "./requires.ts";
import { Site } from "./site.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** What the app would export of its queue, by environment: Prometheus scrapes it. */
async function exporter(lag: Readonly<Record<string, () => string>>): Promise<string> {
  const server: Server = createServer((_, answer) => {
    const lines = Object.entries(lag).map(([environment, value]) => `queue_lag{env="${environment}"} ${value()}\n`);
    answer.writeHead(200, { "content-type": "text/plain" }).end(lines.join(""));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

async function prometheusOf(program: string, target: string): Promise<Prometheus> {
  const prometheus = await Prometheus.start(program, { job_name: "app", static_configs: [{ targets: [target] }] });
  closers.push(() => prometheus.close());
  return prometheus;
}

const lagRule = (url: string) => ({
  name: "lag",
  prometheus: { url, query: 'queue_lag{env="$environment"}' },
  rollBack: 30,
  every: "100ms",
  timeout: "1s",
});
const deploy = (custom: readonly object[]) => ({
  deploy: { shift: [{ weight: 10, for: "60s" }], bake: "60s", guardrails: { custom } },
});

test("a release is taken back by what Prometheus has scraped, and the plan says what is read", async (context) => {
  let green = "1";
  const target = await exporter({ blue: () => "2", green: () => green });
  const prometheus = await prometheusOf(requires(context, "prometheus"), target);
  await prometheus.until("queue_lag", (values) => values.length === 2);
  await using site = await Site.up(deploy([lagRule(prometheus.url)]));
  expect((await site.deployed("v1")).state).toBe("completed");
  const plan = await site.cli("plan", "deploy", "--version", "v2");
  expect(plan.stdout.replaceAll(/\s+/g, " ")).toContain(
    `Reads custom.lag: Prometheus at ${prometheus.url}: queue_lag{`,
  );
  const load = new LoadGenerator({ url: site.url, rate: 100, mostMs: 600_000 });
  load.start();
  const id = await site.deploy("v2");
  await site.atStep(id, "shift-10");
  green = "75";
  const { state, cause } = await site.ended(id);
  expect({ state, cause }).toMatchObject({
    state: "rolled-back",
    cause: {
      code: "guardrail-breached",
      message: "custom.lag of green is 75, of blue 2; the limit is 30; 3 readings in a row",
    },
  });
  expect((await site.settled(load)).lost).toBe(0);
});

test("sources that hang, are down or give NaN are told, and an abort is done as fast as without them", async (context) => {
  const target = await exporter({ blue: () => "2", green: () => "NaN" });
  const prometheus = await prometheusOf(requires(context, "prometheus"), target);
  await prometheus.until("queue_lag", (values) => values.includes("NaN"));
  const hanging = createServer(() => undefined);
  await new Promise<void>((resolve) => hanging.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    hanging.closeAllConnections();
    await new Promise((resolve) => hanging.close(resolve));
  });
  const slow = `http://127.0.0.1:${String((hanging.address() as AddressInfo).port)}/`;
  const others = [
    { name: "slow", http: { url: slow, pointer: "/n" }, rollBack: 1, every: "100ms", timeout: "20s" },
    { name: "down", http: { url: "http://127.0.0.1:9/", pointer: "/n" }, rollBack: 1, every: "100ms" },
  ];
  await using site = await Site.up(deploy([lagRule(prometheus.url), ...others]));
  await site.deployed("v1");
  const id = await site.deploy("v2");
  await site.until("the preflight has asked, and the shift has begun", async () => {
    const { traffic } = await site.service();
    return traffic["green"] === 10;
  });
  const told = await site.until("each silence is told", async () => {
    const { stdout } = await site.cli("events", "--json");
    return (
      /custom\.lag: no evidence: the query gives NaN/.test(stdout) &&
      stdout.includes("custom.down: no evidence") &&
      stdout
    );
  });
  expect(told).toContain("custom.slow: no evidence: it did not answer within 5000 ms (asked of blue)");
  const began = performance.now();
  await site.client.abort(id, {});
  const tookMs = performance.now() - began;
  expect(await site.service()).toMatchObject({ traffic: { blue: 100, green: 0 } });
  expect((await site.ended(id)).state).toBe("aborted");
  // Far below the 20 s that the slow source may take; what an abort takes on a crowded machine is measured elsewhere.
  expect(tookMs).toBeLessThan(10_000);
});
