import { z } from "zod";

/** The part of JSON Schema that our own shapes use. */
export interface JsonSchema {
  readonly $ref?: string | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly items?: JsonSchema | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly oneOf?: readonly JsonSchema[] | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly additionalProperties?: unknown;
  readonly required?: readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly default?: unknown;
}

export const jsonSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    items: jsonSchema.optional(),
    anyOf: z.array(jsonSchema).optional(),
    oneOf: z.array(jsonSchema).optional(),
    properties: z.record(z.string(), jsonSchema).optional(),
    additionalProperties: z.unknown().optional(),
    required: z.array(z.string()).optional(),
    description: z.string().optional(),
    default: z.unknown().optional(),
  }),
);

/** A schema in the words of a table's cell; a named shape is a link to its heading. */
export function typeOf(schema: JsonSchema): string {
  const without = bare(schema);
  return schema.default === undefined ? without : `${without}, else \`${JSON.stringify(schema.default)}\``;
}

function bare(schema: JsonSchema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map(typeOf).join(" or ");
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? ["anything"]);
  return types.map((type) => named(type, schema)).join(" or ");
}

function named(type: string, schema: JsonSchema): string {
  if (type === "array" && schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (type === "object" && schema.properties !== undefined) {
    const parts = Object.entries(schema.properties).map(([name, property]) => `\`${name}\`: ${typeOf(property)}`);
    return `{ ${parts.join("; ")} }`;
  }
  return type;
}
