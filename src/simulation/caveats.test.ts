import { expect, test } from "vitest";
import type { CustomGuardrail } from "../model/metric.ts";
import { sampleSpec } from "../model/samples.ts";
import type { RecordedTraffic } from "../model/series.ts";
import { NOW } from "../store/samples.ts";
import { caveatsOf } from "./caveats.ts";

function traffic(points: RecordedTraffic["points"]): RecordedTraffic {
  return { deployment: "dep_1", service: "web", candidate: "green", baseline: "blue", stages: [], before: {}, points };
}

const cell = { requests: 10, failures: 1, connectFailures: 0, latency: [] };
const told = { ...cell, clients: { failing: 1, repeats: 0 } };

function point(second: number, green: RecordedTraffic["points"][number]["environments"][string]) {
  return { from: NOW + second * 1_000, at: NOW + second * 1_000 + 1_000, environments: { blue: cell, green } };
}

test("a recording that holds all that the guardrails go by has no caveat", () => {
  expect(caveatsOf(traffic([point(0, cell), point(1, cell)]), sampleSpec)).toEqual([]);
  const sticky = { ...sampleSpec, traffic: { ...sampleSpec.traffic, affinity: { cookie: "user" } } };
  expect(caveatsOf(traffic([point(0, { ...cell, failures: 0 }), point(1, told)]), sticky)).toEqual([]);
});

test("what the guardrails go by and it does not hold is said", () => {
  const lag: CustomGuardrail = {
    name: "queue-lag",
    counting: "gauge",
    direction: "above",
    percent: false,
    source: { driver: "http", settings: {}, perEnvironment: true },
    everyMs: 5_000,
    timeoutMs: 2_000,
    readings: 3,
  };
  const spec = {
    ...sampleSpec,
    traffic: { ...sampleSpec.traffic, affinity: { cookie: "user" } },
    deploy: {
      ...sampleSpec.deploy,
      probes: { checks: [], everyMs: 1_000, timeoutMs: 1_000 },
      guardrails: {
        ...sampleSpec.deploy.guardrails,
        activeUsers: { warn: 0.2, windowMs: 60_000 },
        custom: [lag],
      },
    },
  };
  const caveats = caveatsOf(traffic([point(0, told), point(9, cell)]), spec);
  expect(caveats.map(({ code }) => code)).toEqual(["clients", "probes", "metrics", "active-users", "gap"]);
  expect(caveats.find(({ code }) => code === "metrics")?.message).toContain("custom.queue-lag");
  expect(caveats.find(({ code }) => code === "gap")?.message).toContain("8 s");
});
