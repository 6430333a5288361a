import { expect, test } from "vitest";
import { z } from "zod";
import { ROUTES } from "../api/routes.ts";
import { openapiDocument } from "./generated.ts";

const operation = z.object({
  operationId: z.string(),
  summary: z.string().min(10),
  responses: z.record(z.string(), z.object({ description: z.string(), content: z.record(z.string(), z.unknown()) })),
});
const shape = z.object({
  openapi: z.literal("3.1.0"),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

test("the document has every route, each with a summary, its good answer and its errors", async () => {
  const { paths } = shape.parse(await openapiDocument());
  for (const [name, { method, path }] of Object.entries(ROUTES)) {
    const found = paths[path.replaceAll(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
    expect(found?.operationId).toBe(name);
    expect(Object.keys(found?.responses ?? {})[0]).toMatch(/^20[02]$/);
  }
  expect(Object.values(paths).flatMap((found) => Object.keys(found))).toHaveLength(Object.keys(ROUTES).length);
  const deploy = paths["/v1/services/{service}/deployments"]?.["post"]?.responses;
  expect(deploy?.["409"]).toEqual({
    description: expect.stringContaining("`deployment-running`"),
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  });
  expect(Object.keys(paths["/v1/events"]?.["get"]?.responses["200"]?.content ?? {})).toEqual(["text/event-stream"]);
});

test("every reference in it leads somewhere, and every named schema is used", async () => {
  const document = await openapiDocument();
  const text = JSON.stringify(document);
  const named = Object.keys(shape.parse(document).components.schemas).map((name) => `#/components/schemas/${name}`);
  const used = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? ""));
  expect([...used].filter((reference) => !named.includes(reference))).toEqual([]);
  expect(named.filter((name) => !used.has(name) && name !== "#/components/schemas/HistoryRow")).toEqual([]);
});
