import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { Site } from "./site.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Sent {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** OTLP over HTTP, in JSON: what is sent to `/v1/traces`. */
async function collector(): Promise<{ readonly url: string; readonly spans: Span[]; readonly paths: Set<string> }> {
  const spans: Span[] = [];
  const paths = new Set<string>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      paths.add(`${String(request.method)} ${String(request.url)} ${String(request.headers["content-type"])}`);
      const { resourceSpans } = JSON.parse(body) as Sent;
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, spans, paths };
}

const of = ({ attributes }: Span, key: string): unknown =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0];

test("with a collector in its environment the server sends a span for a deployment and each of its steps", async () => {
  const { url, spans, paths } = await collector();
  await using site = await Site.up({}, { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: "100" });
  expect((await site.deployed("v1")).state).toBe("completed");
  const { id, steps } = await site.deployed("v2");
  const own = (): Span[] => spans.filter((span) => of(span, "teal.deployment") === id);
  await site.until("all spans have come", () => Promise.resolve(own().length > steps.length));
  expect([...paths]).toEqual(["POST /v1/traces application/json"]);
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
  const { url, spans } = await collector();
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
