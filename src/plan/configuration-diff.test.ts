import { describe, expect, it } from "vitest";
import type { MetricSettings } from "../model/metric.ts";
import { sampleSpec } from "../model/samples.ts";
import type { ServiceSpec } from "../model/service.ts";
import { configurationDiff, sameConfiguration } from "./configuration-diff.ts";

const base: ServiceSpec = {
  ...sampleSpec,
  environment: {
    ...sampleSpec.environment,
    command: "./run",
    env: { MODE: "production", TOKEN: { template: "${env:TOKEN}", hash: "1" }, template: "a", hash: "b" },
    envFiles: [{ path: "/srv/prod.env", hash: "1" }],
  },
  deploy: {
    ...sampleSpec.deploy,
    guardrails: { minRequests: 100, errorRate: { rollBack: 0.07 }, latency: { p95: { rollBack: { factor: 2 } } } },
  },
  database: { url: { template: "${env:DB}", hash: "1" }, expand: null, contract: null },
  notify: [{ webhook: "https://hooks.example/literal-token" }],
};

function changed(change: (spec: ServiceSpec) => ServiceSpec) {
  return configurationDiff(base, change(base));
}

function environment(change: Partial<ServiceSpec["environment"]>) {
  return changed((spec) => ({ ...spec, environment: { ...spec.environment, ...change } }));
}

describe("configurationDiff", () => {
  it("is empty for the same, whatever the order of keys, and for a first release", () => {
    const reordered = Object.fromEntries(Object.entries(base).toReversed()) as unknown as ServiceSpec;
    expect(configurationDiff(base, reordered)).toEqual([]);
    expect(sameConfiguration(base, reordered)).toBe(true);
    expect(configurationDiff(null, base)).toEqual([]);
  });

  it("names settings as teal.yaml does, with their units", () => {
    const guardrails = {
      minRequests: 100,
      errorRate: { rollBack: 0.005 },
      latency: { p95: { rollBack: { ms: 1500 } } },
    };
    const deploy = {
      ...base.deploy,
      bakeMs: 0,
      guardrails,
      shift: [...base.deploy.shift, { weight: 50, forMs: 90_000 }],
    };
    expect(changed((spec) => ({ ...spec, deploy }))).toEqual([
      { path: "deploy.bake", before: "15m", after: "0ms" },
      { path: "deploy.guardrails.errorRate.rollBack", before: "7%", after: "0.5%" },
      { path: "deploy.guardrails.latency.p95.rollBack", before: "2x", after: "1500ms" },
      { path: "deploy.shift[1].for", before: null, after: "90s" },
      { path: "deploy.shift[1].weight", before: null, after: "50" },
    ]);
  });

  it("tells a text from a list of the same look, and unset from set", () => {
    expect(environment({ command: ["./run"] })).toEqual([
      { path: "environment.command", before: "./run", after: "[./run]" },
    ]);
    expect(environment({ user: "www" })).toEqual([{ path: "environment.user", before: null, after: "www" }]);
  });

  it("never shows a secret: its reference, its value, nor a literal where secrets stand", () => {
    const env = { ...base.environment.env };
    expect(environment({ env: { ...env, TOKEN: { template: "${env:TOKEN}", hash: "2" } } })).toEqual([
      { path: "environment.env.TOKEN", before: "(secret)", after: "(secret, changed)" },
    ]);
    expect(environment({ env: { ...env, TOKEN: "now plain" } })[0]).toMatchObject({
      before: "(secret)",
      after: "now plain",
    });
    const elsewhere = changed((spec) => ({
      ...spec,
      database: null,
      notify: [{ webhook: "https://hooks.example/other-token" }],
    }));
    expect(elsewhere).toEqual([
      { path: "database.url", before: "(secret)", after: null },
      { path: "notify[0].webhook", before: "(secret)", after: "(secret, changed)" },
    ]);
  });

  it("shows of a metric's address neither a query nor a user, and its question as it is", () => {
    const asking = (settings: MetricSettings, path = "/stats?key=hush"): ServiceSpec => {
      const rest = { counting: "gauge", direction: "above", percent: false, everyMs: 5_000, timeoutMs: 2_000 } as const;
      const metric = { ...rest, readings: 3, warn: { value: 1 } };
      const source = { driver: "prometheus", settings, perEnvironment: true };
      const own = { ...metric, source: { driver: "http", settings: { path, pointer: "/n" }, perEnvironment: true } };
      const guardrails = {
        ...base.deploy.guardrails,
        connectionPool: own,
        custom: [{ ...metric, name: "lag", source }],
      };
      return { ...base, deploy: { ...base.deploy, guardrails } };
    };
    const before = asking({ url: "https://me:hush@host/a?token=hush", query: "up?x=1" });
    const after = asking({ url: "https://me:hush@host/a?token=hush2", query: "up?x=2" }, "/stats?key=hush2");
    const settings = "source.settings";
    expect(configurationDiff(before, after)).toEqual([
      {
        path: `deploy.guardrails.connectionPool.${settings}.path`,
        before: "/stats?…",
        after: "/stats?… (changed)",
      },
      { path: `deploy.guardrails.custom[0].${settings}.query`, before: "up?x=1", after: "up?x=2" },
      {
        path: `deploy.guardrails.custom[0].${settings}.url`,
        before: "https://host/a?…",
        after: "https://host/a?… (changed)",
      },
    ]);
    expect(JSON.stringify(configurationDiff(base, after))).not.toContain("hush");
    expect(JSON.stringify(configurationDiff(after, base))).not.toContain("hush");
  });

  it("sees other contents of a file of variables, and variables called like Teal's own fields", () => {
    expect(environment({ envFiles: [{ path: "/srv/prod.env", hash: "2" }] })).toEqual([
      { path: "environment.envFiles[0]", before: "/srv/prod.env", after: "/srv/prod.env (changed)" },
    ]);
    expect(environment({ env: { ...base.environment.env, template: "z" } })).toEqual([
      { path: "environment.env.template", before: "a", after: "z" },
    ]);
  });
});
