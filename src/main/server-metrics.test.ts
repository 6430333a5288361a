import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NO_CONNECTIONS } from "../model/connections.ts";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { NO_TRAFFIC } from "../analysis/counters.ts";
import { Hub } from "../engine/hub.ts";
import { temporaryFolder } from "../store/temporary.ts";
import { ControlMetrics } from "./control-metrics.ts";
import { ProxyTotals } from "./proxy-totals.ts";
import { serverMetrics } from "./server-metrics.ts";

const OPERATIONS = new URL("../../docs/operations.md", import.meta.url);

function metrics() {
  const folder = temporaryFolder();
  onTestFinished(() => {
    folder[Symbol.dispose]();
  });
  const hub = new Hub();
  const ended = new AbortController();
  onTestFinished(() => {
    ended.abort();
  });
  let now = 1_000;
  const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };
  const registry = new Registry();
  const own = new ControlMetrics(registry, []);
  const read = serverMetrics({
    registry,
    own,
    now: clock.now,
    keeperConnected: () => true,
    connections: () => NO_CONNECTIONS,
    control: { status: () => Promise.resolve([]) },
    hub,
    totals: new ProxyTotals({ file: join(folder.path, "counts.json"), clock, report: () => undefined }),
    version: "1.2.3",
    signal: ended.signal,
  });
  const publish = (requests: number): void => {
    hub.publish("sample", { service: "web", epoch: "e", at: now, environments: { blue: { ...NO_TRAFFIC, requests } } });
  };
  return {
    read,
    publish,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const REQUESTS = 'teal_proxy_requests_total{service="web",environment="blue"}';

test("the newest sample of a service is what is shown, until it says nothing of the present any more", async () => {
  const { read, publish, pass } = metrics();
  expect(await read()).not.toContain(REQUESTS);
  publish(1);
  publish(2);
  expect(await read()).toContain(`\n${REQUESTS} 2\n`);
  pass(10_001);
  expect(await read()).not.toContain(REQUESTS);
});

test("docs/operations.md has every metric of Teal's own, with its type, and no other", async () => {
  const { read, publish } = metrics();
  publish(1);
  const shown = [...(await read()).matchAll(/^# TYPE (teal_\S+) (\S+)$/gm)].map(
    ([, name, type]) => `${String(name)} ${String(type)}`,
  );
  const told = [...readFileSync(OPERATIONS, "utf8").matchAll(/^\| `(teal_\w+)[^`]*` \| (\w+) \|/gm)].map(
    ([, name, type]) => `${String(name)} ${String(type)}`,
  );
  expect(told.toSorted()).toEqual(shown.toSorted());
  expect(shown.length).toBeGreaterThan(15);
});
