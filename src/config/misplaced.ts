import type { Path } from "./locate.ts";
import { type Finding } from "./rule.ts";

/** Where `${env:X}` and `${file:P}` are substituted; `*` is any one step. */
const METRICS = ["custom.*", "databaseErrors", "connectionPool"].flatMap((rule) =>
  ["prometheus", "http"].flatMap((source) =>
    ["url", "auth.bearer", "auth.user", "auth.password"].map(
      (key) => `services.*.deploy.guardrails.${rule}.${source}.${key}`,
    ),
  ),
);
const VALUES = [
  "services.*.environment.env.*",
  "services.*.database.url",
  "services.*.notify.*.webhook",
  ...METRICS,
].map(steps);
const COMMANDS = [
  "services.*.environment.command",
  "services.*.deploy.validate.smoke",
  "services.*.database.expand",
  "services.*.database.contract",
].map(steps);

const IN_COMMAND =
  "has a reference: only ${env:X} and ${file:P} are substituted, never inside commands; pass it by env, and write $NAME here";
const ELSEWHERE =
  "has a reference, but ${env:X} and ${file:P} are substituted only in env, database.url, notify, and url and auth of metrics";

/** References where none are substituted, and keys that no map can have; in the data as it was written. */
export function misplaced(value: unknown): readonly Finding[] {
  const findings: Finding[] = [];
  walk(value, [], new Set(), findings);
  return findings;
}

/** @param seen aliases make one object appear in many places, even within itself */
function walk(value: unknown, path: Path, seen: Set<object>, findings: Finding[]): void {
  if (typeof value === "string") {
    if (/\$\{(?:env|file):/.test(value) && !VALUES.some((place) => matches(path, place))) {
      findings.push({
        at: path,
        message: COMMANDS.some((place) => matches(path.slice(0, place.length), place)) ? IN_COMMAND : ELSEWHERE,
      });
    }
  } else if (typeof value === "object" && value !== null && !seen.has(value)) {
    seen.add(value);
    const list = Array.isArray(value);
    for (const [key, item] of Object.entries(value)) {
      const at = [...path, list ? Number(key) : key];
      if (key === "__proto__") findings.push({ at, message: "is not a possible key" });
      else walk(item, at, seen, findings);
    }
  }
}

function steps(pattern: string): readonly string[] {
  return pattern.split(".");
}

function matches(path: Path, place: readonly string[]): boolean {
  return path.length === place.length && place.every((step, index) => step === "*" || step === path[index]);
}
