import { configurationReference } from "./configuration-reference.ts";
import { configJsonSchema } from "./json-schema.ts";
import type { KnownDrivers } from "./loading.ts";

export interface GeneratedFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly content: string;
}

/** The files of the repository that are made from the schema of teal.yaml. */
export function generated(drivers: KnownDrivers): readonly GeneratedFile[] {
  return [
    { path: "schema/teal.schema.json", content: `${JSON.stringify(configJsonSchema(drivers), null, 2)}\n` },
    { path: "docs/configuration.md", content: configurationReference(drivers) },
  ];
}
