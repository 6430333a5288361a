import { expect, onTestFinished, test, vi } from "vitest";
import { type SentSpan, spanCollector } from "../../test/span-collector.ts";
import { FaultyStore } from "../engine/testing/faulty-store.ts";
import { Rig } from "../engine/testing/rig.ts";
import { Hub } from "../engine/hub.ts";
import { startTracing } from "./tracing.ts";

/** The one that the environment names while a test runs. */
async function collector(answers: boolean): Promise<readonly SentSpan[]> {
  const { url, spans } = await spanCollector({ answers });
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", url);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return spans;
}

function tracing(disk: FaultyStore) {
  const hub = new Hub();
  const stop = startTracing({
    hub,
    find: (id) => disk.store.deployment(id),
    version: "1.2.3",
    report: () => undefined,
    signal: new AbortController().signal,
  });
  return { hub, stop };
}

test("a deployment that goes on under a second server is one trace, with a span for each attempt", async () => {
  const spans = await collector(true);
  const disk = new FaultyStore();
  const rig = new Rig(disk.store);
  await rig.engine.start({});
  await rig.deployed("v1");
  const { id } = await rig.deploy("v2");
  await rig.atStep(id, "shift-50");
  const first = tracing(disk);
  for (const event of rig.events) first.hub.publish("event", event);
  await first.stop();
  const known = rig.events.length;
  await rig.crash();
  expect((await rig.ended(id)).state).toBe("completed");
  const second = tracing(disk);
  for (const event of rig.events.slice(known)) second.hub.publish("event", event);
  await second.stop();

  const of = (span: SentSpan, key: string) => span.attributes.find((one) => one.key === key)?.value;
  const mine = spans.filter((span) => of(span, "teal.deployment")?.["stringValue"] === id);
  expect(new Set(mine.map(({ traceId }) => traceId)).size).toBe(1);
  const [root, ...more] = mine.filter(({ parentSpanId }) => parentSpanId === undefined || parentSpanId === "");
  expect({ name: root?.name, more }).toEqual({ name: "deploy web", more: [] });
  const steps = mine.filter((span) => span !== root);
  expect(new Set(steps.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([root?.spanId]));
  const again = steps.find(({ name }) => name === "shift-50");
  expect(again === undefined ? null : of(again, "teal.attempt")).toEqual({ intValue: 2 });
  expect(new Set(steps.map((span) => of(span, "teal.version")?.["stringValue"]))).toEqual(new Set(["v2"]));
});

test("what a collector has not taken 2 s after the server's end began is given up, whatever the exporter's patience", async () => {
  await collector(false);
  vi.stubEnv("OTEL_EXPORTER_OTLP_TIMEOUT", "60000");
  const disk = new FaultyStore();
  const rig = new Rig(disk.store);
  await rig.engine.start({});
  await rig.deployed("v1");
  const { hub, stop } = tracing(disk);
  for (const event of rig.events) hub.publish("event", event);
  const began = performance.now();
  await stop();
  const tookMs = performance.now() - began;
  // Not before: a collector that is slow still gets them. Above, a busy machine has room.
  expect(tookMs).toBeGreaterThan(1_900);
  expect(tookMs).toBeLessThan(15_000);
});
