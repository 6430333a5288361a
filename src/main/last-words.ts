import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isErrorCode } from "../model/catalogue.ts";
import { TealError } from "../model/error.ts";
import type { StatePaths } from "../wire/paths.ts";

const LINES = 8;
const TAIL_BYTES = 65_536;
/** pino's level of a process that cannot go on. */
const FATAL = 60;

/** A line of a log in JSON, as the server writes them. */
const entry = z.object({
  level: z.number(),
  time: z.string(),
  msg: z.string(),
  code: z.string().optional(),
  remedy: z.string().optional(),
  problems: z.array(z.object({ path: z.string(), line: z.int().nullable(), message: z.string() })).optional(),
});
type Entry = z.output<typeof entry>;

/** The end of the keeper's and the server's logs, to print beneath a failure; empty when there are none. */
export async function lastWords(paths: StatePaths): Promise<string> {
  const parts: string[] = [];
  for (const name of ["keeper.log", "server.log"]) {
    const lines = (await tail(join(paths.logs, name), 0)).slice(-LINES);
    if (lines.length > 0) parts.push(`\n${name}:`, ...lines.map((line) => `\n  ${inWords(line)}`));
  }
  return parts.join("");
}

/** Bytes that the server's log has now: what comes after is of a new start. */
export async function serverLogSize(paths: StatePaths): Promise<number> {
  try {
    return (await stat(serverLog(paths))).size;
  } catch (thrown) {
    if (isMissing(thrown)) return 0;
    throw thrown;
  }
}

/** Why the server has said since `from` that it cannot run, as the error that it met; null when it has not. */
export async function serverVerdict(paths: StatePaths, from: number): Promise<TealError | null> {
  const entries = (await tail(serverLog(paths), from)).map(read).filter((one) => one !== null);
  const fatal = entries.findLast(({ level }) => level >= FATAL);
  const code = fatal?.code;
  if (fatal === undefined || code === undefined || !isErrorCode(code)) return null;
  const { msg, problems = [], remedy } = fatal;
  return new TealError(code, msg, { problems, ...(remedy === undefined ? {} : { remedy }) });
}

function serverLog(paths: StatePaths): string {
  return join(paths.logs, "server.log");
}

function read(line: string): Entry | null {
  try {
    return entry.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

function inWords(line: string): string {
  const parsed = read(line);
  return parsed === null ? line : `${parsed.time} ${parsed.msg}`;
}

/** Whole lines from byte `from` on, the last 64 KiB of them. */
async function tail(file: string, from: number): Promise<readonly string[]> {
  try {
    await using handle = await open(file, "r");
    const { size } = await handle.stat();
    const start = Math.max(from, size - TAIL_BYTES);
    if (start >= size) return [];
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), { position: start });
    const text = buffer.subarray(0, bytesRead).toString("utf8");
    return text.split("\n").filter((line) => line !== "");
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";
}
