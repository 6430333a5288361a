import { describe, expect, it } from "vitest";
import { ConfigFolder } from "./fixtures.ts";

const ENDPOINT = "      validate: { endpoint: /deployment/validate }\n";
const file = (guardrails: string, validate = ENDPOINT): string => `version: 1
services:
  web:
    environment: { command: node server.js }
    deploy:
${validate}      guardrails:
${guardrails
  .split("\n")
  .map((line) => `        ${line}`)
  .join("\n")}
`;
const PROMETHEUS = `prometheus: { url: "http://p:9090", query: 'x{e="$environment"}' }`;

async function guardrails(text: string, variables: Record<string, string> = {}) {
  using folder = new ConfigFolder();
  const config = await folder.load(file(text), { variables });
  return config.services["web"]?.deploy.guardrails;
}

describe("guardrails over metrics", () => {
  it("have the defaults of the endpoint when nothing is said", async () => {
    const read = await guardrails("databaseErrors: {}\nconnectionPool: {}");
    expect(read?.databaseErrors).toEqual({
      source: {
        driver: "http",
        perEnvironment: true,
        settings: { path: "/deployment/validate", pointer: "/database/errors", total: "/database/operations" },
      },
      counting: "share",
      direction: "above",
      percent: true,
      warn: { value: 0.001 },
      rollBack: { value: 0.01 },
      everyMs: 5_000,
      timeoutMs: 2_000,
      readings: 3,
    });
    expect(read?.connectionPool).toMatchObject({
      source: {
        settings: { path: "/deployment/validate", pointer: "/database/pool/used", of: "/database/pool/size" },
      },
      counting: "gauge",
      warn: { value: 0.8 },
      hold: { value: 0.9 },
    });
  });

  it("count errors a minute when the limits are numbers", async () => {
    const { databaseErrors } = (await guardrails("databaseErrors: { rollBack: 30 }")) ?? {};
    expect(databaseErrors).toMatchObject({ counting: "perMinute", percent: false, rollBack: { value: 30 } });
    expect(databaseErrors?.source.settings).toEqual({
      path: "/deployment/validate",
      pointer: "/database/errors",
      counter: true,
    });
  });

  it("know what tells environments apart, and keep secrets as references", async () => {
    const custom = [
      `- { name: a, ${PROMETHEUS}, rollBack: 2x }`,
      `- { name: b, prometheus: { url: "\${env:P}", query: up, auth: { bearer: "\${env:T}" } }, warn: -5, direction: below }`,
      `- { name: c, http: { path: /x, pointer: /n }, warn: 1, direction: below }`,
    ];
    const variables = { P: "http://p", T: "hush" };
    const read = await guardrails(`custom:\n${custom.map((item) => `  ${item}`).join("\n")}`, variables);
    expect(read?.custom?.map(({ source }) => source.perEnvironment)).toEqual([true, false, true]);
    expect(read?.custom?.[1]?.source.settings).toMatchObject({
      url: { template: "${env:P}" },
      bearer: { template: "${env:T}" },
    });
    expect(read?.custom?.[2]?.source.settings).toMatchObject({ worst: "lowest" });
    expect(JSON.stringify(read)).not.toContain("hush");
  });

  const at = (...path: string[]): string => ["services.web.deploy.guardrails", ...path].join(".");
  it.each([
    ["custom:\n  - { name: a, warn: 1 }", [[at("custom[0]"), "names no source; write one of prometheus"]]],
    [`custom:\n  - { name: a, ${PROMETHEUS} }`, [[at("custom[0]"), "has no limit"]]],
    [
      `custom:\n  - { name: a, ${PROMETHEUS}, http: { path: /x, pointer: /n }, warn: 1 }`,
      [[at("custom[0].http"), "cannot stand beside prometheus"]],
    ],
    [
      `custom:\n  - { name: a, ${PROMETHEUS}, warn: 5, hold: 6, rollBack: 4 }`,
      [
        [at("custom[0].warn"), "is above rollBack"],
        [at("custom[0].hold"), "is above rollBack"],
      ],
    ],
    [
      `custom:\n  - { name: a, ${PROMETHEUS}, warn: 5, rollBack: 6, direction: below }`,
      [[at("custom[0].warn"), "is below rollBack"]],
    ],
    [`custom:\n  - { name: a, ${PROMETHEUS}, warn: 0.5x }`, [[at("custom[0].warn"), "is below 1x"]]],
    [
      `custom:\n  - { name: a, ${PROMETHEUS}, warn: 2x, direction: below }`,
      [[at("custom[0].warn"), "is above 1x, but with direction: below"]],
    ],
    [
      `custom:\n  - { name: a, prometheus: { url: "http://p", query: up }, rollBack: 2x }`,
      [[at("custom[0].rollBack"), "does not name $environment"]],
    ],
    [
      `custom:\n  - { name: a, prometheus: { url: "http://p", query: 'x{e="$enviroment"}' }, warn: 1 }`,
      [[at("custom[0].prometheus.query"), "did you mean $environment?"]],
    ],
    [
      `custom:\n  - { name: a, prometheus: { url: "http://u:p@p", query: up, auth: { bearer: abc } }, warn: 1 }`,
      [
        [at("custom[0].prometheus.url"), "holds a user or a password"],
        [at("custom[0].prometheus.auth.bearer"), "is a secret in the clear"],
      ],
    ],
    [
      `custom:\n  - { name: a, http: { path: /x, pointer: n }, warn: 1 }\n  - { name: a, promethius: {}, warn: lots }`,
      [
        [at("custom[0].http.pointer"), "is not a JSON pointer"],
        [at("custom[1]"), "names no source"],
        [at("custom[1].name"), "a is in the list twice"],
        [at("custom[1].promethius"), "did you mean prometheus?"],
        [at("custom[1].warn"), "neither a number such as 100"],
      ],
    ],
    [
      `custom:\n  - { name: a, http: { path: /x, pointer: /n, total: /m }, warn: 5, direction: below, readings: 2 }`,
      [
        [at("custom[0].warn"), "above 0% and at most 100%"],
        [at("custom[0].direction"), "count what is bad"],
        [at("custom[0].readings"), "does nothing with total"],
      ],
    ],
    [
      "connectionPool: { rollBack: 90% }",
      [[at("connectionPool.rollBack"), "is refused: both environments share the database"]],
    ],
    ["databaseErrors: { warn: 0.005, rollBack: 1% }", [[at("databaseErrors.warn"), "beside a percentage"]]],
    ["databaseErrors: { rollBack: 0% }", [[at("databaseErrors.rollBack"), "above 0%"]]],
    ["databaseErrors: { rollBack: 150% }", [[at("databaseErrors.rollBack"), "at most 100%"]]],
    ["databaseErrors: { rollBack: 3x }", [[at("databaseErrors.rollBack"), "must be 2x"]]],
  ])("%s is refused, each problem at its place", async (text, expected) => {
    using folder = new ConfigFolder();
    const { problems } = await folder.refused(file(text));
    const found = problems.map(({ path, message, line }) => {
      expect(line).toBeGreaterThan(6);
      const [, part = message] =
        expected.find(([where, part]) => where === path && message.includes(String(part))) ?? [];
      return [path, part];
    });
    const byPlace = (a: readonly unknown[], b: readonly unknown[]) => String(a).localeCompare(String(b));
    expect(found.toSorted(byPlace)).toEqual(expected.toSorted(byPlace));
  });

  it("need the endpoint that they read", async () => {
    using folder = new ConfigFolder();
    const { problems } = await folder.refused(file("databaseErrors: {}\nconnectionPool: {}", ""));
    expect(problems.map(({ path, message }) => [path, message.includes("deploy.validate.endpoint")])).toEqual([
      [at("databaseErrors"), true],
      [at("connectionPool"), true],
    ]);
  });
});
