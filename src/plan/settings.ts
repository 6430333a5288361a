import type { SecretReference, ServiceSpec } from "../model/service.ts";
import { shownAddress } from "../model/shown-address.ts";
import { durationText } from "./duration-text.ts";

/** One setting of a service, as a person wrote it. */
export interface Setting {
  /** As in teal.yaml: `30s`, `5%`, `2x`. For a secret, never to be shown. */
  readonly text: string;
  /** Equal exactly when two settings mean the same. */
  readonly identity: string;
  readonly secret: boolean;
}

/** Literal text in these is a secret as well: it holds a password or a token. */
const SECRET_PATHS = /^(?:database\.url|notify\[\d+\]\.webhook)$/;

/** Addresses, and paths at one, whose query may hold a token. */
const ADDRESS_PATHS = /^deploy\.guardrails\..+\.source\.settings\.(?:url|path)$/;

/** Where teal.yaml has what a service keeps under another path. */
const WRITTEN_AT: Readonly<Record<string, string>> = { "deploy.bakeHoldback": "deploy.bake.holdback" };

const ENVIRONMENT = "environment.env";

/** The settings of a service by path in teal.yaml, such as `health.interval`. What is not set has no entry. */
export function settingsOf(spec: ServiceSpec): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  for (const [key, value] of Object.entries(spec)) {
    if (key !== "name") collect(key, value, settings);
  }
  return settings;
}

function collect(path: string, value: unknown, into: Map<string, Setting>): void {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return;
  if (path === ENVIRONMENT) {
    // Its keys are the user's: they may be called `template` and `hash`.
    collectMap(path, value, into);
  } else if (isSecret(value)) {
    into.set(path, { text: value.template, identity: `${value.template}\n${value.hash}`, secret: true });
  } else if (isFile(value)) {
    into.set(path, { text: value.path, identity: `${value.path}\n${value.hash}`, secret: false });
  } else if (isTexts(value)) {
    into.set(path, plain(`[${value.join(", ")}]`, `list ${JSON.stringify(value)}`));
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collect(`${path}[${String(index)}]`, item, into);
  } else if (typeof value === "object") {
    collectMap(path, value, into);
  } else if (ADDRESS_PATHS.test(path) && typeof value === "string") {
    into.set(path, plain(shownAddress(value), value));
  } else {
    into.set(WRITTEN_AT[path] ?? path, { ...plain(scalar(path, value)), secret: SECRET_PATHS.test(path) });
  }
}

function collectMap(path: string, value: object, into: Map<string, Setting>): void {
  const limit = latencyLimit(value);
  if (limit !== null) {
    into.set(path, plain(limit));
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    const written = typeof item === "number" && /[a-z]Ms$/.test(key);
    if (written) into.set(`${path}.${key.slice(0, -2)}`, plain(durationText(item)));
    else collect(`${path}.${key}`, item, into);
  }
}

function scalar(path: string, value: unknown): string {
  if (typeof value === "number" && /^deploy\.guardrails\.(?:errorRate|activeUsers)\./.test(path))
    return `${String(round(value * 100))}%`;
  return String(value);
}

function latencyLimit(value: object): string | null {
  if ("ms" in value && typeof value.ms === "number") return durationText(value.ms);
  if ("factor" in value && typeof value.factor === "number") return `${String(value.factor)}x`;
  // A limit of a metric of its own; a dimension has a name beside its value.
  if ("value" in value && typeof value.value === "number" && !("name" in value)) return String(round(value.value));
  return null;
}

/** Without the noise of binary fractions: 0.07 × 100 is 7. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}

function plain(text: string, identity = text): Setting {
  return { text, identity, secret: false };
}

function isSecret(value: unknown): value is SecretReference {
  return typeof value === "object" && value !== null && "template" in value && "hash" in value;
}

function isFile(value: unknown): value is { path: string; hash: string } {
  return typeof value === "object" && value !== null && "path" in value && "hash" in value;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
