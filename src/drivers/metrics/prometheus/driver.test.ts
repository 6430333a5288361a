import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../main/clock.ts";
import { serve } from "../../validation/fixtures.ts";
import { subject } from "../fixtures.ts";
import { PrometheusMetrics } from "./driver.ts";

const driver = new PrometheusMetrics({ clock: systemClock });
const never = new AbortController().signal;

/** Answers each query with its length, and keeps what came. */
async function recorder() {
  const asked: { readonly url: URL; readonly headers: IncomingMessage["headers"] }[] = [];
  const server = await serve((request, answer) => {
    const url = new URL(String(request.url), "http://x");
    asked.push({ url, headers: request.headers });
    const value = [asked.length, String(url.searchParams.get("query")?.length)];
    answer.end(JSON.stringify({ status: "success", data: { resultType: "vector", result: [{ value }] } }));
  });
  return { asked, ...server };
}

describe("the Prometheus driver", () => {
  it("asks for counter and total at the same moment, below the server's own path", async () => {
    await using prometheus = await recorder();
    const settings = { url: `${prometheus.baseUrl}/prom/`, query: "abc", total: "abcdef" };
    expect(await driver.read({ settings, subject: subject("green") }, never)).toEqual({
      kind: "counts",
      counts: { all: { bad: 3, total: 6 } },
      at: 1_000,
    });
    expect(prometheus.asked.map(({ url }) => [url.pathname, url.searchParams.get("time")])).toEqual([
      ["/prom/api/v1/query", null],
      ["/prom/api/v1/query", "1"],
    ]);
  });

  it("puts names into the query so that they cannot leave their quotes", async () => {
    await using prometheus = await recorder();
    const names = { environment: 'a"} or vector(1) #', service: "it's", version: "b\\`c", release: "v2+1" };
    const query = 'x{e="$environment",s=\'$service\',v="$version",r=~"$release$$"}';
    const settings = { url: prometheus.baseUrl, query };
    await driver.read({ settings, subject: { ...subject("green"), names } }, never);
    expect(prometheus.asked[0]?.url.searchParams.get("query")).toBe(
      'x{e="a\\x22} or vector(1) #",s=\'it\\x27s\',v="b\\x5c\\x60c",r=~"v2+1$"}',
    );
  });

  it("shows who asks, by token or by user and password", async () => {
    await using prometheus = await recorder();
    const base = { url: prometheus.baseUrl, query: "x" };
    for (const settings of [base, { ...base, bearer: "hush" }, { ...base, user: "u", password: "p" }])
      await driver.read({ settings, subject: subject("green") }, never);
    expect(prometheus.asked.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      "Bearer hush",
      "Basic dTpw",
    ]);
  });

  it("follows no redirect, and reads no more than it must", async () => {
    await using other = await recorder();
    await using moved = await serve((_, answer) => answer.writeHead(302, { location: other.baseUrl }).end());
    const settings = { url: moved.baseUrl, query: "x" };
    expect(await driver.read({ settings, subject: subject("green") }, never)).toMatchObject({ kind: "none" });
    expect(other.asked).toEqual([]);
    await using endless = await serve((_, answer) => answer.end(`"${"x".repeat(3 << 20)}"`));
    const long = { ...settings, url: endless.baseUrl };
    expect(await driver.read({ settings: long, subject: subject("green") }, never)).toMatchObject({
      reason: expect.stringContaining("more than is read") as string,
    });
  });
});
