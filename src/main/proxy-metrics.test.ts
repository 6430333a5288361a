import { describe, expect, test } from "vitest";
import { NO_TRAFFIC } from "../analysis/counters.ts";
import type { TrafficCounters } from "../model/traffic.ts";
import { LATENCY_BOUNDS_MS } from "../model/latency.ts";
import { exposition } from "./exposition.ts";
import { proxyMetrics } from "./proxy-metrics.ts";

const CONNECTIONS = { accepted: 12, open: 5, logged: 6, dropped: 7, refused: { tls: 3, "connection-limit": 0 } };
const KERNEL = { listenOverflows: 3, listenDrops: 4 };

function text(counters: Partial<TrafficCounters>, service = "web"): string {
  const sample = { service, epoch: "e", at: 0, switches: 7, environments: { blue: { ...NO_TRAFFIC, ...counters } } };
  return exposition(proxyMetrics([sample], CONNECTIONS, KERNEL));
}

const value = (of: string, name: string): string | undefined =>
  of
    .split("\n")
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1);

describe("what the data plane counts, as Prometheus text", () => {
  test("each number under its name", () => {
    const shown = text({
      requests: 20,
      failures: 2,
      classes: [1, 15, 1, 2, 1],
      inFlight: 5,
      connectFailures: 6,
      retried: 8,
      rescued: 9,
      upgrades: 1,
      held: 10,
      ejections: 11,
    });
    const labels = '{service="web",environment="blue"}';
    const names = ["requests", "failures", "connect_failures", "retries", "rescues", "held", "upgrades", "ejections"];
    expect(names.map((name) => value(shown, `teal_proxy_${name}_total${labels}`))).toEqual([
      "20",
      "2",
      "6",
      "8",
      "9",
      "10",
      "1",
      "11",
    ]);
    expect(value(shown, `teal_proxy_in_flight${labels}`)).toBe("5");
    expect(value(shown, 'teal_proxy_responses_total{service="web",environment="blue",class="2xx"}')).toBe("15");
    expect(value(shown, 'teal_proxy_responses_total{service="web",environment="blue",class="5xx"}')).toBe("1");
    expect(value(shown, 'teal_proxy_switches_total{service="web"}')).toBe("7");
    expect(value(shown, "teal_proxy_connections_accepted_total")).toBe("12");
    expect(value(shown, "teal_proxy_connections_open")).toBe("5");
    expect(value(shown, "teal_proxy_access_log_lines_total")).toBe("6");
    expect(value(shown, "teal_proxy_access_log_dropped_total")).toBe("7");
    expect(value(shown, 'teal_proxy_refused_total{reason="tls"}')).toBe("3");
    expect(value(shown, 'teal_proxy_refused_total{reason="connection-limit"}')).toBe("0");
    expect(value(shown, "teal_kernel_listen_overflows_total")).toBe("3");
    expect(value(shown, "teal_kernel_listen_drops_total")).toBe("4");
  });

  test("maintenance of each service that was told of", () => {
    const maintenance = { mode: "hold" as const, answered: 1, held: 2, released: 3, timedOut: 4, waiting: 5 };
    const shown = exposition(
      proxyMetrics([{ service: "web", epoch: "e", at: 0, environments: {}, maintenance }], CONNECTIONS, KERNEL),
    );
    const labels = '{service="web"}';
    expect(value(shown, `teal_proxy_maintenance_answers_total${labels}`)).toBe("1");
    expect(value(shown, `teal_proxy_hold_requests_total${labels}`)).toBe("2");
    expect(value(shown, `teal_proxy_hold_released_total${labels}`)).toBe("3");
    expect(value(shown, `teal_proxy_hold_timeouts_total${labels}`)).toBe("4");
    expect(value(shown, `teal_proxy_waiting${labels}`)).toBe("5");
    const modes = ["off", "on", "hold"].map((mode) =>
      value(shown, `teal_proxy_maintenance{service="web",mode="${mode}"}`),
    );
    expect(modes).toEqual(["0", "0", "1"]);
    expect(value(text({}), `teal_proxy_waiting${labels}`)).toBeUndefined();
  });

  test("the histogram is cumulative, ends with all, and each bound is one of the data plane's", () => {
    const latency = LATENCY_BOUNDS_MS.map((_, bucket) => bucket + 1).concat(1_000);
    const all = latency.reduce((sum, count) => sum + count, 0);
    const shown = text({ latency, latencySumMs: 1_500 });
    const buckets = [...shown.matchAll(/_bucket\{.*le="(.*)"\} (\d+)/g)].map(([, le = "", count]) => ({
      le,
      count: Number(count),
    }));
    expect(buckets).toHaveLength(17);
    for (const { le, count } of buckets.slice(0, -1)) {
      const index = LATENCY_BOUNDS_MS.findIndex((ms) => Math.abs(ms / 1_000 / Number(le) - 1) < 0.005);
      expect(count).toBe(((index + 1) * (index + 2)) / 2);
    }
    expect(buckets.at(-1)).toEqual({ le: "+Inf", count: all });
    const labels = '{service="web",environment="blue"}';
    expect(value(shown, `teal_proxy_latency_seconds_sum${labels}`)).toBe("1.5");
    expect(value(shown, `teal_proxy_latency_seconds_count${labels}`)).toBe(String(all));
  });

  test("every family has its HELP and TYPE once, before its numbers, and counters end in _total", () => {
    const shown = text({});
    let family = "";
    for (const line of shown.split("\n").filter((one) => one !== "")) {
      const [, name] = /^# HELP (\S+) \S/.exec(line) ?? [];
      if (name !== undefined) family = name;
      else if (line.startsWith("# TYPE")) expect(line).toMatch(/_total counter$| gauge$| histogram$/);
      else expect(line).toMatch(new RegExp(`^${family}(?:_bucket|_sum|_count)?(?:\\{.*\\})? [0-9.]+$`));
    }
    const types = [...shown.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(types).size).toBe(types.length);
  });

  test("label values are escaped", () => {
    expect(text({}, 'a"b\\c\nd')).toContain('teal_proxy_switches_total{service="a\\"b\\\\c\\nd"} 7\n');
  });

  test("a driver that tells less is shown with zeros", () => {
    const { held, ejections, latencySumMs, ...old } = { ...NO_TRAFFIC, held: 0, ejections: 0, latencySumMs: 0 };
    const shown = exposition(
      proxyMetrics([{ service: "web", epoch: "e", at: 0, environments: { blue: old } }], CONNECTIONS, KERNEL),
    );
    expect(shown).not.toMatch(/NaN|undefined/);
    expect([held, ejections, latencySumMs]).toEqual([0, 0, 0]);
  });
});
