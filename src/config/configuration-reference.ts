import { EXAMPLE } from "./example.ts";
import { configJsonSchema, type JsonSchema } from "./json-schema.ts";
import type { KnownDrivers } from "./loading.ts";

const HEAD = `# teal.yaml

<!-- Generated from the schema; do not edit. -->

What Teal releases, and how. The file is read at \`teal up\` and at each \`teal deploy\`; a release keeps the configuration that it was
deployed with, so that rolling back brings that back too. \`teal check\` reads the file and names every problem with its line.

- **Durations** carry a unit: \`500ms\`, \`1s\`, \`15m\`, \`24h\`, \`7d\` (\`0\` may stand alone). **Percentages** are written \`5%\`, **factors** \`2x\`.
- **Relative paths** start at the folder of the file.
- **Unknown keys** are refused, with the nearest known one. YAML anchors and \`<<\` merges work.
- **References** are replaced when the file is read, in \`env\`, \`database.url\`, \`notify\`, and \`url\` and \`auth\` of a metric's source alone: \`\${env:X}\` by an environment variable,
  \`\${file:P}\` by the contents of a file, without the newline at its end. Teal keeps the reference and a hash, never the value.
  A literal \`\${\` is written \`$\${\`. Nothing is replaced inside commands, where \`$VAR\` is the shell's.
- **Editors** complete and check the file by its JSON Schema, \`schema/teal.schema.json\`, named in a first line such as
  \`# yaml-language-server: $schema=node_modules/teal/schema/teal.schema.json\`.

## A complete example

\`\`\`yaml
${EXAMPLE}\`\`\`

The shortest file that works needs a version, a service and its command:

\`\`\`yaml
version: 1
services:
  web:
    environment: { command: node server.js }
\`\`\`
`;

/** docs/configuration.md: every key with its type, default, meaning and an example. */
export function configurationReference(drivers: KnownDrivers): string {
  return [HEAD, ...sections("", configJsonSchema(drivers))].join("\n");
}

/** A map's own table, then the maps in it. */
function sections(path: string, schema: JsonSchema): string[] {
  const keys = Object.entries(schema.properties ?? {});
  const required = schema.required ?? [];
  const rows = keys.map(([key, of]) => row(key, of, required.includes(key)));
  const own = [
    `## ${path === "" ? "The file" : `\`${path}\``}\n`,
    ...(schema.description === undefined ? [] : [`${schema.description}\n`]),
    ["| key | type | default | meaning |", "|---|---|---|---|", ...rows, ""].join("\n"),
  ];
  return [...own, ...keys.flatMap(([key, of]) => nested(path === "" ? key : `${path}.${key}`, of))];
}

function nested(path: string, schema: JsonSchema): string[] {
  if (schema.properties !== undefined) return sections(path, schema);
  if (schema.items?.properties !== undefined) return sections(`${path}[]`, schema.items);
  const values = schema.additionalProperties;
  return values !== undefined && values !== false && values.properties !== undefined
    ? sections(`${path}.NAME`, values)
    : [];
}

function row(key: string, schema: JsonSchema, required: boolean): string {
  const [example] = schema.examples ?? [];
  const meaning = [schema.description ?? "", example === undefined ? "" : `Example: ${code(example)}`]
    .filter((part) => part !== "")
    .join(" ");
  return `| \`${key}\` | ${typeText(schema)} | ${defaultText(schema, required)} | ${meaning.replaceAll("|", "\\|")} |`;
}

function defaultText(schema: JsonSchema, required: boolean): string {
  if (required) return "required";
  if (schema.default === undefined) return "none";
  const isSection = schema.properties !== undefined && JSON.stringify(schema.default) === "{}";
  return isSection ? "see below" : code(schema.default);
}

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  if (schema.items !== undefined)
    return schema.items.properties === undefined ? `list of ${plural(schema.items)}` : "list of maps";
  if (schema.properties !== undefined) return schema.title ?? "map";
  if (schema.additionalProperties)
    return schema.additionalProperties.properties === undefined ? "map of name to text" : "map by name";
  const { minimum, maximum } = schema;
  const range =
    schema.type === "integer" && minimum !== undefined && maximum !== undefined
      ? `, ${String(minimum)} to ${String(maximum)}`
      : "";
  return `${schema.title ?? "value"}${range}`;
}

function plural({ title = "value" }: JsonSchema): string {
  return title.endsWith("s") ? `${title}es` : `${title}s`;
}

/** A value as one writes it in YAML, in one line. */
function code(value: unknown): string {
  return `\`${flow(value)}\``;
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${key}: ${flow(item)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  const text = String(value);
  return typeof value === "string" && /[{}[\],:]/.test(text) ? JSON.stringify(text) : text;
}
