import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { parseEnv } from "node:util";
import { TealError, type Problem } from "../model/error.ts";
import type { EnvironmentSpec, Value } from "../model/service.ts";
import { type Part, parseTemplate } from "./template.ts";

/** Values for `${env:X}`, by X. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** A referenced file is a secret or a list of variables, not data. */
const LARGEST_FILE = 1 << 20;

/** What a text with references stands for, or what is missing for it. Messages never hold a value. */
export type Resolved =
  { readonly text: string; readonly missing?: never } | { readonly text?: never; readonly missing: readonly string[] };

/** `onFile` hears of every file that was read, with its contents. */
export function resolveParts(parts: readonly Part[], variables: Variables, onFile: OnFile = () => undefined): Resolved {
  const resolved = parts.map((part) => resolvePart(part, variables, onFile));
  const missing = resolved.flatMap((part) => part.missing ?? []);
  if (missing.length > 0) return { missing: [...new Set(missing)] };
  const text = resolved.map((part) => part.text ?? "").join("");
  return text.includes("\0") ? { missing: ["resolves to text with a NUL character"] } : { text };
}

type OnFile = (path: string, contents: string) => void;

function resolvePart(part: Part, variables: Variables, onFile: OnFile): Resolved {
  if (part.kind === "text") return { text: part.text };
  if (part.kind === "file") return readReferenced(part.path, onFile);
  const value = Object.hasOwn(variables, part.name) ? variables[part.name] : undefined;
  return value === undefined
    ? { missing: [`needs the environment variable ${part.name}, which is not set`] }
    : { text: value };
}

/** A file's text without one newline at its end, which editors add and no secret has. */
function readReferenced(path: string, onFile: OnFile): Resolved {
  const text = readSmallFile(path);
  if (typeof text !== "string") return { missing: [`needs the file ${path}, which ${text.reason}`] };
  onFile(path, text);
  return { text: text.replace(/\r?\n$/, "") };
}

/** The text of a regular file; never waits on a pipe or a device. */
export function readSmallFile(path: string): string | { readonly reason: string } {
  try {
    const found = statSync(path);
    if (!found.isFile()) return { reason: "is not a regular file" };
    if (found.size > LARGEST_FILE) return { reason: `has more than ${String(LARGEST_FILE)} bytes` };
    return readFileSync(path, "utf8");
  } catch (thrown) {
    return { reason: unreadable(thrown) };
  }
}

/** Why a file or folder cannot be read, in words that follow "which". */
export function unreadable(thrown: unknown): string {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : String(thrown);
  if (code === "ENOENT" || code === "ENOTDIR") return "does not exist";
  return code === "EACCES" || code === "EPERM" ? "may not be read by this user" : `cannot be read (${code})`;
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * A value as a child process gets it.
 * @throws `secret-missing`, naming every variable and file that is missing
 */
export function resolveValue(value: Value, variables: Variables): string {
  const resolved = resolve(value, variables);
  if (resolved.missing === undefined) return resolved.text;
  throw secretMissing(resolved.missing.map((message) => ({ path: "", line: null, message })));
}

/**
 * What a child process gets from `envFiles` and `env`: a later file over an earlier one, `env` over all files. What Teal
 * itself sets (PORT, HOST, TEAL_*) must be laid over this, as files written for other uses often name a PORT.
 * @throws `secret-missing`, naming every variable and file that is missing
 */
export async function resolveVariables(spec: EnvironmentSpec, variables: Variables): Promise<Record<string, string>> {
  const problems: Problem[] = [];
  const found: Record<string, string> = {};
  for (const { path } of spec.envFiles) {
    const text = readSmallFile(path);
    if (typeof text === "string") Object.assign(found, parseEnv(text));
    else
      problems.push({
        path: "environment.envFiles",
        line: null,
        message: `needs the file ${path}, which ${text.reason}`,
      });
  }
  for (const [name, value] of Object.entries(spec.env)) {
    const resolved = resolve(value, variables);
    if (resolved.missing === undefined) found[name] = resolved.text;
    else
      problems.push(...resolved.missing.map((message) => ({ path: `environment.env.${name}`, line: null, message })));
  }
  if (problems.length > 0) throw secretMissing(problems);
  return found;
}

function resolve(value: Value, variables: Variables): Resolved {
  return typeof value === "string" ? { text: value } : resolveParts(parseTemplate(value.template).parts, variables);
}

function secretMissing(problems: readonly Problem[]): TealError {
  const lines = problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  return new TealError("secret-missing", lines.join("\n"), { problems });
}
