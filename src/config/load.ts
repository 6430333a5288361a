import { readFile, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { TealError, type Problem } from "../model/error.ts";
import type { TealConfig } from "./config.ts";
import { type ConfigDocument, parseYaml } from "./document.ts";
import { canonical } from "./canonical.ts";
import type { KnownDrivers } from "./loading.ts";
import { misplaced } from "./misplaced.ts";
import { type Found, found, foundIn, inOrder, summary, wording } from "./problems.ts";
import { unreadable, type Variables } from "./resolve.ts";
import { configSchema } from "./schema.ts";
import { LARGEST_FILE, noteFile, type SourceState } from "./source-state.ts";
import { writtenVariables } from "./written.ts";

export interface LoadOptions extends KnownDrivers {
  /** Values for `${env:X}`. */
  readonly variables: Variables;
  /** Gathers what it was made from; see {@link SourceState}. */
  readonly sources?: SourceState;
}

/**
 * Reads teal.yaml: checked whole, with every default filled in, deeply frozen.
 * @throws `config-missing`; `config-invalid` with all problems, each with path and line; `secret-missing` when all that is
 *   wrong is that referenced variables and files are missing
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<TealConfig> {
  const path = resolve(file);
  const directory = dirname(path);
  const sources: SourceState = options.sources ?? new Map();
  const bytes = await readBytes(path);
  noteFile(sources, path, bytes);
  const document = parseYaml(textOf(path, bytes));
  const problems: Found[] = document.problems.map((problem) => ({
    problem,
    spot: JSON.stringify(problem),
    unresolved: false,
  }));
  if (document.value === undefined) throw invalid(path, problems);
  const references = new Set<string>();
  const { services, proxy, server } = await decode(path, document, problems, {
    ...options,
    directory,
    references,
    sources,
  });
  return canonical({ file: path, directory, proxy, server, services, references: [...references].toSorted() });
}

async function decode(
  path: string,
  document: ConfigDocument,
  problems: Found[],
  loading: Parameters<typeof configSchema>[0],
) {
  const value = writtenVariables(document);
  const places = misplaced(value).map(({ at, message }) => found(at, message, document));
  const taken = new Set(places.map((place) => place.problem.path));
  const result = await configSchema(loading).safeParseAsync(value, { error: wording });
  const issues = result.error?.issues.flatMap((issue) => foundIn(issue, document)) ?? [];
  // Where a reference has no place, what else is wrong with the text follows from it.
  problems.push(...places, ...issues.filter((issue) => !taken.has(issue.problem.path)));
  if (problems.length > 0 || !result.success) throw invalid(path, problems);
  return result.data;
}

function invalid(path: string, all: readonly Found[]): TealError {
  const ordered = inOrder(all);
  const problems = ordered.map((one): Problem => one.problem);
  const code = ordered.length > 0 && ordered.every((one) => one.unresolved) ? "secret-missing" : "config-invalid";
  return new TealError(code, summary(basename(path), problems), { problems });
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw refused(path, "is not text in UTF-8", thrown);
  }
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const status = await stat(path);
    // A pipe would be waited for.
    if (!status.isFile()) throw refused(path, "is not a file");
    if (status.size > LARGEST_FILE) throw refused(path, `has more than ${String(LARGEST_FILE)} bytes`);
    return await readFile(path);
  } catch (thrown) {
    if (thrown instanceof TealError) throw thrown;
    const reason = unreadable(thrown);
    if (reason === "does not exist") throw new TealError("config-missing", `${path} does not exist`, { cause: thrown });
    throw refused(path, reason, thrown);
  }
}

function refused(path: string, message: string, cause?: unknown): TealError {
  return new TealError("config-invalid", `${path} ${message}`, {
    cause,
    problems: [{ path: "", line: null, message }],
  });
}
