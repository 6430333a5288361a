import { z } from "zod";
import type { KnownDrivers } from "./loading.ts";
import { configSchema } from "./schema.ts";

/** As much of JSON Schema (draft 2020-12) as ours consists of. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
}

/** The JSON Schema of teal.yaml as people write it, for editors and other tools. */
export function configJsonSchema(drivers: KnownDrivers): JsonSchema & Record<string, unknown> {
  const schema = configSchema({ ...drivers, directory: "/", variables: {}, references: new Set(), sources: new Map() });
  const generated = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-2020-12",
    // zod leaves examples out where it decodes, as they might be of the decoded kind; ours are as written.
    override({ zodSchema, jsonSchema }) {
      const examples = z.globalRegistry.get(zodSchema)?.["examples"];
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });
  return { ...(generated as JsonSchema), title: "teal.yaml", description: "What Teal releases, and how." };
}
