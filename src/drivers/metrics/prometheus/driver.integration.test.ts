import { beforeEach, describe, expect, test } from "vitest";
import { Prometheus } from "../../../../test/prometheus.ts";
import { requires } from "../../../../test/requires.ts";
import { metricsConformance, type SourceSays } from "../../../ports/metrics.conformance.ts";
import { systemClock } from "../../../main/clock.ts";
import { serve } from "../../validation/fixtures.ts";
import { subject } from "../fixtures.ts";
import { PrometheusMetrics } from "./driver.ts";

const driver = new PrometheusMetrics({ clock: systemClock });

/** What an app's /metrics says. */
function exposition(says: ReadonlyMap<string, SourceSays>): string {
  return [...says]
    .flatMap(([environment, what]) => {
      if (what === "nothing") return [];
      const line = (value: string, more = ""): string => `lag{env="${environment}"${more}} ${value}\n`;
      if (what === "several series") return [line("1", ',shard="a"'), line("2", ',shard="b"')];
      return [line(typeof what === "number" ? String(what) : "NaN")];
    })
    .join("");
}

/** How a query sees it. */
function seen(what: SourceSays): (values: readonly string[]) => boolean {
  if (what === "nothing") return (values) => values.length === 0;
  if (what === "several series") return (values) => values.length === 2;
  return (values) => values.length === 1 && values[0] === (typeof what === "number" ? String(what) : "NaN");
}

async function scraping(program: string) {
  const says = new Map<string, SourceSays>();
  const app = await serve((_, answer) => answer.writeHead(200, { "content-type": "text/plain" }).end(exposition(says)));
  const target = new URL(app.baseUrl).host;
  const prometheus = await Prometheus.start(program, { job_name: "app", static_configs: [{ targets: [target] }] });
  const close = async (): Promise<void> => {
    await prometheus.close();
    await app[Symbol.asyncDispose]();
  };
  return { says, prometheus, close };
}

metricsConformance(
  "prometheus",
  async (context) => {
    const { says, prometheus, close } = await scraping(requires(context, "prometheus"));
    return {
      driver,
      settings: { url: prometheus.url, query: 'lag{env="$environment"}', bearer: "hush" },
      subject,
      say: async (environment, what) => {
        says.set(environment, what);
        await prometheus.until(`lag{env="${environment}"}`, seen(what));
      },
      hang: () => {
        prometheus.pause();
        return Promise.resolve();
      },
      die: () => prometheus.kill(),
      close,
    };
  },
  { garbage: "Prometheus answers as Prometheus does; see vector.test.ts" },
);

describe("the Prometheus driver and a query", () => {
  let program = "";
  beforeEach((context) => {
    program = requires(context, "prometheus");
  });

  test("is told what is wrong with it by Prometheus", async () => {
    const { prometheus, close } = await scraping(program);
    const never = new AbortController().signal;
    const read = (query: string) =>
      driver.read({ settings: { url: prometheus.url, query }, subject: subject("green") }, never);
    const reasons = await Promise.all([read("sum("), read("up[1m]"), read('"text"'), read("1/0"), read("2")]);
    await close();
    expect(reasons).toMatchObject([
      { reason: expect.stringContaining("refused the query") as string },
      { reason: expect.stringContaining("gives a matrix") as string },
      { reason: expect.stringContaining("gives a string") as string },
      { reason: expect.stringContaining("+Inf, which is no number") as string },
      { kind: "value", value: 2 },
    ]);
  });
});
