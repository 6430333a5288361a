import type { ConfigDocument } from "./document.ts";

/**
 * The data with numbers, true and false among the variables of `env` as the text that was written: a variable is text,
 * and `1.10` must not become 1.1.
 */
export function writtenVariables(document: ConfigDocument): unknown {
  const services = field(document.value, "services");
  for (const [name, service] of Object.entries(services ?? {})) {
    const env = field(field(service, "environment"), "env");
    if (env === undefined) continue;
    for (const [variable, value] of Object.entries(env)) {
      if (typeof value !== "number" && typeof value !== "boolean") continue;
      env[variable] = document.source(["services", name, "environment", "env", variable]) ?? String(value);
    }
  }
  return document.value;
}

function field(value: unknown, name: string): Record<string, unknown> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
    return undefined;
  const found = (value as Record<string, unknown>)[name];
  return typeof found === "object" && found !== null && !Array.isArray(found)
    ? (found as Record<string, unknown>)
    : undefined;
}
