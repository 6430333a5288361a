import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { TealError } from "../model/error.ts";
import { ConfigFolder } from "./fixtures.ts";

const folder = new ConfigFolder({ "app/x": "" });
afterAll(() => {
  folder[Symbol.dispose]();
});

const variable = fc
  .stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/)
  .filter((name) => !/^(?:PORT$|HOST$|TEAL_|__PROTO__)/.test(name));
/** Text without references and NUL, as a variable can hold it. */
const literal = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("${") && !text.includes("\0"));
const word = literal.filter((text) => text.trim() !== "");
const seconds = (most: number) => fc.integer({ min: 1, max: most });
const path = fc.webPath().map((text) => `/${text.replace(/^\/+/, "").replaceAll(/[^A-Za-z0-9/._-]/g, "x")}`);
const weights = fc
  .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 5 })
  .map((all) => all.toSorted((a, b) => a - b));

const sound = fc.record({
  command: fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 })),
  count: fc.integer({ min: 1, max: 1000 }),
  env: fc.dictionary(variable, literal, { maxKeys: 4, noNullPrototype: true }),
  status: fc.integer({ min: 200, max: 599 }),
  path,
  drain: seconds(3600),
  weights,
  bake: seconds(86_400),
  warn: fc.integer({ min: 1, max: 50 }),
  rollBack: fc.integer({ min: 50, max: 100 }),
});

describe("loadConfig, for any", () => {
  it("sound configuration: loads it, and means what was written", async () => {
    await fc.assert(
      fc.asyncProperty(sound, async (c) => {
        const written = {
          version: 1,
          services: {
            web: {
              release: { dir: "app" },
              environment: { command: c.command, count: c.count, env: c.env },
              health: { path: c.path, status: c.status },
              traffic: { drain: `${String(c.drain)}s` },
              deploy: {
                shift: c.weights.map((weight) => ({ weight, for: "1m" })),
                bake: `${String(c.bake)}s`,
                guardrails: { errorRate: { warn: `${String(c.warn)}%`, rollBack: `${String(c.rollBack)}%` } },
              },
            },
          },
        };
        const { web } = (await folder.load(stringify(written))).services;
        expect(web?.environment).toMatchObject({ command: c.command, count: c.count });
        expect(web?.environment.env).toEqual(c.env);
        expect(web?.health).toMatchObject({ path: c.path, status: c.status });
        expect(web?.traffic.drainMs).toBe(c.drain * 1000);
        expect(web?.deploy.shift).toEqual(c.weights.map((weight) => ({ weight, forMs: 60_000 })));
        expect(web?.deploy.bakeMs).toBe(c.bake * 1000);
        expect(web?.deploy.guardrails.errorRate).toEqual({ warn: c.warn / 100, rollBack: c.rollBack / 100 });
      }),
      { numRuns: 60 },
    );
  });

  const key = fc.constantFrom(
    "version",
    "services",
    "web",
    "environment",
    "env",
    "health",
    "deploy",
    "shift",
    "guardrails",
    "latency",
    "p95",
    "<<",
    "__proto__",
    "x",
  );
  const anything = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "medium", withCrossShrink: true },
      fc.oneof(
        fc.string(),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.constantFrom("5s", "${env:X}", "${file:/nope}", "2x", "5%", "/"),
      ),
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie("tree")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries) as unknown),
    ),
  })).tree;
  const text = fc.oneof(
    anything.map((tree) => stringify(tree)),
    anything.map((tree) => stringify({ version: 1, services: { web: tree } })),
    fc
      .array(
        fc.constantFrom(
          "version: 1",
          "\n",
          "services:",
          "  ",
          "- ",
          "web:",
          "{",
          "}",
          "[",
          "&a ",
          "*a",
          "<<: *a",
          "? ",
          ": ",
          "|",
          ">",
          "'",
          '"',
          "#",
          "!!binary ",
          "---",
          "\t",
          "%YAML 9",
          "~",
        ),
        { maxLength: 30 },
      )
      .map((parts) => parts.join("")),
    fc.string({ unit: "binary" }),
  );

  it("text: a configuration or a TealError with problems, nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(text, fc.uint8Array({ maxLength: 200 })), async (input) => {
        const outcome: unknown = await folder.load(input).catch((thrown: unknown) => thrown);
        if (!(outcome instanceof Error)) return;
        expect(outcome).toBeInstanceOf(TealError);
        const { code, problems } = outcome as TealError;
        expect(["config-invalid", "secret-missing"]).toContain(code);
        expect(problems.length).toBeGreaterThan(0);
        expect(new Set(problems.map(({ path, message, line }) => `${String(line)} ${path} ${message}`)).size).toBe(
          problems.length,
        );
      }),
      { numRuns: 400 },
    );
  });
});
