import { type FileHandle, open } from "node:fs/promises";
import type { LogLine } from "../../../ports/environment.ts";

const CHUNK = 64 * 1024;

/** Reads `<ISO time> <text>`; null for anything else, such as the rest of a line that a full disk cut. */
export function parseLine(line: string, instance: string): LogLine | null {
  const at = Date.parse(line.slice(0, 24));
  return Number.isNaN(at) || line[24] !== " " ? null : { at, instance, text: line.slice(25) };
}

/** The last `lines` lines of a file, oldest first; reads no more of it than they take. */
export async function tail(file: FileHandle, size: number, lines: number): Promise<string[]> {
  let start = size;
  let bytes = Buffer.alloc(0);
  while (start > 0 && count(bytes) <= lines) {
    const length = Math.min(CHUNK, start);
    start -= length;
    const chunk = Buffer.alloc(length);
    const { bytesRead } = await file.read(chunk, 0, length, start);
    bytes = Buffer.concat([chunk.subarray(0, bytesRead), bytes]);
  }
  const all = bytes.toString("utf8").split("\n");
  // A first line that the chunk cut, and the empty text after the last line's end.
  if (start > 0) all.shift();
  if (all.at(-1) === "") all.pop();
  return lines === 0 ? [] : all.slice(-lines);
}

function count(bytes: Buffer): number {
  let found = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) found += 1;
  return found;
}

/** Null when there is no such file: it was rotated away, or its environment was never used. */
export async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return null;
    throw thrown;
  }
}
