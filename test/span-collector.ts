import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Sent {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[] }[];
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly SentSpan[];
  /** Method, path and content type of what has come. */
  readonly requests: ReadonlySet<string>;
}

/** A collector on loopback that takes OTLP over HTTP, in JSON; one that does not answer keeps what it gets waiting. */
export async function spanCollector({ answers = true } = {}): Promise<Collector> {
  const spans: SentSpan[] = [];
  const requests = new Set<string>();
  const server = createServer((request, response) => {
    if (!answers) return;
    void text(request).then((body) => {
      requests.add(`${String(request.method)} ${String(request.url)} ${String(request.headers["content-type"])}`);
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
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, spans, requests };
}
