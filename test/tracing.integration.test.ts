import { expect, test } from "vitest";
import { Site } from "./site.ts";
import { type SentSpan, spanCollector } from "./span-collector.ts";

const of = ({ attributes }: SentSpan, key: string): unknown =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0];

test("with a collector in its environment the server sends a span for a deployment and each of its steps", async () => {
  const { url, spans, requests } = await spanCollector();
  await using site = await Site.up({}, { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: "100" });
  expect((await site.deployed("v1")).state).toBe("completed");
  const { id, steps } = await site.deployed("v2");
  const own = (): SentSpan[] => spans.filter((span) => of(span, "teal.deployment") === id);
  await site.until("all spans have come", () => Promise.resolve(own().length > steps.length));
  expect([...requests]).toEqual(["POST /v1/traces application/json"]);
  const [root, ...more] = own().filter(({ parentSpanId = "" }) => parentSpanId === "");
  expect(root === undefined ? null : [root.name, more, of(root, "teal.state")]).toEqual([
    "deploy web",
    [],
    "completed",
  ]);
  const ofSteps = own().filter((span) => span !== root);
  expect(ofSteps.map(({ name }) => name).toSorted()).toEqual(steps.map((step) => step.id).toSorted());
  expect(new Set(ofSteps.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([root?.spanId]));
  expect(new Set(own().map(({ traceId }) => traceId))).toEqual(new Set([root?.traceId]));
  expect(new Set(own().map((span) => of(span, "teal.version")))).toEqual(new Set(["v2"]));
});

test("a collector that is away, or one that is switched off, changes nothing of a deployment", async () => {
  const { url, spans } = await spanCollector();
  await using site = await Site.up({}, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
  expect((await site.deployed("v1")).state).toBe("completed");
  expect((await site.cli("down", "--yes")).code).toBe(0);
  site.set({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_EXPORTER: "none", OTEL_BSP_SCHEDULE_DELAY: "100" });
  await site.start();
  expect((await site.deployed("v2")).state).toBe("completed");
  // What was left would be sent before the server has ended.
  expect((await site.cli("down", "--yes")).code).toBe(0);
  expect(spans).toEqual([]);
  site.set({ OTEL_TRACES_EXPORTER: "otlp" });
  await site.start();
  expect((await site.deployed("v3-good")).state).toBe("completed");
  expect((await site.cli("down", "--yes")).code).toBe(0);
  expect(spans.map(({ name }) => name)).toContain("deploy web");
});
