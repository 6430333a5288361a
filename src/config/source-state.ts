import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";

/** Far above any file that people write. */
export const LARGEST_FILE = 16 << 20;
const FOLDER = "folder";

/**
 * What every file and folder was that a configuration was made from: by absolute path, the SHA-256 of a file's contents,
 * or that it is a folder. As long as they are the same, and the variables that it refers to, so is the configuration.
 */
export type SourceState = Map<string, string>;

export function noteFolder(state: SourceState, path: string): void {
  state.set(path, FOLDER);
}

export function noteFile(state: SourceState, path: string, contents: string | Uint8Array): void {
  state.set(path, createHash("sha256").update(contents).digest("hex"));
}

export async function isUnchanged(state: ReadonlyMap<string, string>): Promise<boolean> {
  const now = await Promise.all([...state.keys()].map(async (path) => [path, await stateOf(path)] as const));
  return now.every(([path, found]) => state.get(path) === found);
}

/** Null for what is not there or cannot be read: never equal to what was. */
async function stateOf(path: string): Promise<string | null> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return FOLDER;
    if (!found.isFile() || found.size > LARGEST_FILE) return null;
    return createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  } catch {
    // Whoever loads it next says what is wrong with it.
    return null;
  }
}
