import { CATALOGUE } from "../model/catalogue.ts";
import { type TealError, toTealError } from "../model/error.ts";
import type { Io } from "./io.ts";
import { styleFor } from "./style.ts";

/**
 * Says what went wrong, on stderr, and returns the exit code. Under `--json` that is one problem document (RFC 9457, as
 * the API's), so that stdout stays empty or whole.
 */
export function fail(thrown: unknown, io: Io, json: boolean): number {
  const error = toTealError(thrown);
  io.stderr.write(json ? `${JSON.stringify(problemOf(error))}\n` : inWords(error, io));
  return error.exit;
}

function problemOf(error: TealError): Record<string, unknown> {
  return {
    type: `urn:teal:error:${error.code}`,
    title: CATALOGUE[error.code].title,
    status: error.status,
    detail: error.message,
    code: error.code,
    remedy: error.remedy,
    problems: error.problems,
  };
}

function inWords(error: TealError, io: Io): string {
  const style = styleFor(io.stderr, io.env);
  const lines = [`${style.bad("error:")} ${error.message} ${style.faint(`[${error.code}]`)}`];
  // A message that lists its problems itself is not followed by the same list.
  const unsaid = error.problems.filter(({ message }) => !error.message.includes(message));
  for (const { path, line, message } of unsaid) {
    const where = [line === null ? "" : `line ${String(line)}`, path].filter((part) => part !== "").join(", ");
    lines.push(`  ${where === "" ? "" : `${style.strong(where)}: `}${message}`);
  }
  lines.push(error.remedy);
  const stack = error.cause instanceof Error ? error.cause.stack : error.stack;
  if (error.code === "internal" && (io.env["TEAL_DEBUG"] ?? "") !== "" && stack !== undefined) lines.push(stack);
  return `${lines.join("\n")}\n`;
}
