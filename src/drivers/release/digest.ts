import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { forEachBounded } from "./parallel.ts";
import type { TreeEntry } from "./tree.ts";

/** What the digest says of one entry. `content`: SHA-256 (hex) of a file, target of a link, empty for a folder. */
export interface Fact {
  readonly kind: TreeEntry["kind"];
  readonly executable: boolean;
  readonly content: string;
}

/** SHA-256 (hex) over the sorted paths with their facts. Of modes the owner's x bit alone counts, as in git. */
export function digestOf(facts: ReadonlyMap<string, Fact>): string {
  const hash = createHash("sha256").update("teal-tree-1\0");
  for (const [path, fact] of [...facts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    // No field can hold a NUL, so no two trees give the same text.
    hash.update([fact.kind, fact.executable ? "x" : "-", fact.content, path].join("\0") + "\0");
  }
  return hash.digest("hex");
}

export function isExecutable(mode: number): boolean {
  return (mode & 0o100) !== 0;
}

/** Digest of a tree on disk; contents are streamed. */
export async function digestTree(root: string, entries: readonly TreeEntry[], signal: AbortSignal): Promise<string> {
  const facts = new Map<string, Fact>();
  await forEachBounded(entries, 4, signal, async (entry) => {
    facts.set(entry.path, await factOf(root, entry, signal));
  });
  return digestOf(facts);
}

async function factOf(root: string, entry: TreeEntry, signal: AbortSignal): Promise<Fact> {
  switch (entry.kind) {
    case "dir":
      return { kind: "dir", executable: false, content: "" };
    case "link":
      return { kind: "link", executable: false, content: entry.target };
    case "file":
      return {
        kind: "file",
        executable: isExecutable(entry.mode),
        content: await hashFile(join(root, entry.path), signal),
      };
    default:
      return entry satisfies never;
  }
}

async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await using file = await open(path, "r");
  const buffer = Buffer.allocUnsafe(128 * 1024);
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(buffer.subarray(0, bytesRead));
  }
}
