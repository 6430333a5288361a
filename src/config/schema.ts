import { z } from "zod";
import { isName, NAME_PATTERN } from "../model/names.ts";
import type { ServiceSpec } from "../model/service.ts";
import { refuse, scalar, shown } from "./decode.ts";
import type { Loading } from "./loading.ts";
import { map } from "./map.ts";
import { type Finding, rule, tolerantRule } from "./rule.ts";
import { overlaps } from "./overlap.ts";
import { proxySection } from "./proxy-section.ts";
import { serverSection } from "./server-section.ts";
import { serviceSection } from "./service-section.ts";

const version = scalar({ title: "number", const: 1 }, (value) =>
  value === 1 ? 1 : refuse(`is ${shown(value)}; this Teal reads version 1 of teal.yaml: write version: 1`),
);

/** The whole of teal.yaml, as it is written → as the rest of Teal reads it. Every default stands in here. */
export function configSchema(loading: Loading) {
  return map({
    version: version.meta({ description: "Version of this format." }),
    proxy: proxySection.prefault({}),
    server: serverSection.prefault({}),
    services: z
      .record(z.string(), serviceSection(loading))
      .check(rule<Record<string, unknown>>([], names))
      .check(tolerantRule(overlaps))
      .transform((services): Record<string, ServiceSpec> => named(services))
      .meta({
        description: "The services, by name.",
        propertyNames: { pattern: NAME_PATTERN.source },
        minProperties: 1,
      }),
  });
}

function names(services: Record<string, unknown>): Finding[] {
  const all = Object.keys(services);
  if (all.length === 0) return [{ at: [], message: "is empty; describe at least one service" }];
  return all
    .filter((name) => !isName(name))
    .map((name) => ({
      at: [name],
      message:
        "is not a name: up to 128 letters, digits, dots, _, + and -, beginning with a letter or digit, without ..",
    }));
}

function named(services: Readonly<Record<string, Omit<ServiceSpec, "name">>>): Record<string, ServiceSpec> {
  return Object.fromEntries(Object.entries(services).map(([name, service]) => [name, { name, ...service }]));
}
