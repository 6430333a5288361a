import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { EXAMPLE } from "./example.ts";
import { ConfigFolder, DRIVERS } from "./fixtures.ts";
import { generated } from "./generated.ts";
import { configJsonSchema, type JsonSchema } from "./json-schema.ts";
import { loadConfig } from "./load.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FILES = {
  "app/x": "",
  "maintenance.html": "<h1>Back soon</h1>",
  "prod.env": "A=1\n",
  "hook.url": "https://hooks.example/x\n",
};

/** Every key that the schema knows, as `services.*.health.path`. */
function keysOf(schema: JsonSchema, path = ""): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, of]) => [
    `${path}${key}`,
    ...keysOf(of, `${path}${key}.`),
  ]);
  const values = schema.additionalProperties;
  return [
    ...own,
    ...[schema.items, values === false ? undefined : values].flatMap((of) =>
      of === undefined ? [] : keysOf(of, `${path}*.`),
    ),
  ];
}

/** The maps of the schema by path of what stands in them. */
function schemasOf(schema: JsonSchema): JsonSchema[] {
  const values = schema.additionalProperties;
  const inner = [...Object.values(schema.properties ?? {}), schema.items, values === false ? undefined : values];
  return [schema, ...inner.flatMap((of) => (of === undefined ? [] : schemasOf(of)))];
}

describe("the documentation of teal.yaml", () => {
  it("has a complete example that loads and has every key but those that exclude each other", async () => {
    using folder = new ConfigFolder(FILES);
    const config = await folder.load(EXAMPLE, { variables: { DB_URL: "postgres://x", METRICS_TOKEN: "t" } });
    expect(config.services["web"]?.deploy.guardrails.latency.p99).toEqual({ hold: { ms: 5000 } });
    const missing = keysOf(configJsonSchema(DRIVERS)).filter((key) => !has(parse(EXAMPLE), key.split(".")));
    const limits = ["p50.hold", "p50.rollBack", "p95.hold", "p99.warn", "p99.rollBack"].map(
      (key) => `services.*.deploy.guardrails.latency.${key}`,
    );
    // A source of the two that have one by themselves is as one of `custom`.
    const sources = /\.guardrails\.(?:databaseErrors|connectionPool)\.(?:prometheus|cloudwatch|http)(?:\.|$)/;
    const others = [
      "connectionPool.every",
      "connectionPool.timeout",
      "connectionPool.rollBack",
      "databaseErrors.readings",
      "custom.*.http.auth.bearer",
      "custom.*.prometheus.auth.password",
      "custom.*.prometheus.auth.user",
    ];
    expect(missing.filter((key) => !sources.test(key)).toSorted()).toEqual(
      [
        "services.*.release.dir",
        "services.*.release.tarball",
        ...limits,
        ...others.map((key) => `services.*.deploy.guardrails.${key}`),
      ].toSorted(),
    );
  });

  it("describes every key in the JSON Schema and in the reference", () => {
    const schema = configJsonSchema(DRIVERS);
    const maps = schemasOf(schema).filter((one) => one.properties !== undefined);
    const bare = maps.flatMap((map) =>
      Object.entries(map.properties ?? {}).filter(([, of]) => of.description === undefined),
    );
    expect(bare).toEqual([]);
    expect(maps.every((map) => map.additionalProperties === false)).toBe(true);
    const reference = generated(DRIVERS).find(({ path }) => path === "docs/configuration.md")?.content ?? "";
    const untold = keysOf(schema).filter((key) => !reference.includes(`| \`${key.split(".").at(-1) ?? ""}\` |`));
    expect(untold).toEqual([]);
  });

  it("takes the names of drivers from the registry", () => {
    const text = JSON.stringify(configJsonSchema(DRIVERS));
    expect(text).toContain('"enum":["process","container"],');
    expect(JSON.stringify(configJsonSchema({ environmentDrivers: ["a"], trafficDrivers: ["b"] }))).not.toContain(
      "embedded",
    );
  });

  it("has examples in the page, and in examples/, that load as they stand", async () => {
    using folder = new ConfigFolder(FILES);
    const page = readFileSync(join(ROOT, "docs/configuration.md"), "utf8");
    const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) => text);
    expect(blocks).toHaveLength(2);
    for (const text of blocks) await folder.load(text, { variables: { DB_URL: "postgres://x", METRICS_TOKEN: "t" } });
    const examples = readdirSync(join(ROOT, "examples"), { recursive: true, encoding: "utf8" });
    for (const name of examples.filter((name) => /(?:^|\/)teal\.yaml$/.test(name) && !name.includes("node_modules"))) {
      const config = await loadConfig(join(ROOT, "examples", name), { ...DRIVERS, variables: {} });
      expect(Object.keys(config.services)).not.toEqual([]);
    }
  });
});

function has(value: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return true;
  if (typeof value !== "object" || value === null) return false;
  if (step === "*") return Object.values(value).some((item) => has(item, rest));
  return Object.hasOwn(value, step) && has((value as Record<string, unknown>)[step], rest);
}
