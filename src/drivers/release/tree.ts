import type { BigIntStats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { TealError } from "../../model/error.ts";
import { errnoOf } from "./source.ts";

/** One entry of a folder tree. `path` is relative, with `/`; `target` is a link's text. */
export type TreeEntry =
  | { readonly kind: "dir"; readonly path: string; readonly mode: number; readonly stamp: string }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly stamp: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string; readonly stamp: string };

/** Version control's and Teal's own folders: never part of a release. */
const NEVER = new Set([".git", ".teal"]);

/**
 * Every entry below `root`, sorted by path (by UTF-16 code unit, so that it is the same in every locale); `.git`, `.teal`
 * and what `skip` names (absolute) are left out.
 * @throws `release-source` for sockets, FIFOs and devices
 */
export async function readTree(root: string, signal: AbortSignal, skip: string | null = null): Promise<TreeEntry[]> {
  const found: TreeEntry[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal.throwIfAborted();
    const names = (await readdir(join(root, folder))).filter((name) => !NEVER.has(name));
    const paths = names.map((name) => (folder === "" ? name : `${folder}/${name}`));
    const entries = await Promise.all(
      paths.filter((path) => join(root, path) !== skip).map((path) => readEntry(root, path)),
    );
    for (const entry of entries) {
      found.push(entry);
      if (entry.kind === "dir") folders.push(entry.path);
    }
  }
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function readEntry(root: string, path: string): Promise<TreeEntry> {
  const absolute = join(root, path);
  const stat = await lstat(absolute, { bigint: true });
  const mode = Number(stat.mode & 0o777n);
  const stamp = stampOf(stat);
  if (stat.isDirectory()) return { kind: "dir", path, mode, stamp };
  if (stat.isFile()) return { kind: "file", path, mode, stamp };
  if (stat.isSymbolicLink()) return { kind: "link", path, target: await readlink(absolute), stamp };
  const kind = stat.isSocket() ? "a socket" : stat.isFIFO() ? "a FIFO" : "a device";
  throw new TealError("release-source", `${absolute} is ${kind}, which cannot be part of a release`, {
    remedy: "Remove it from the folder, or name a folder that has files alone.",
  });
}

/** Changes whenever the contents, the mode or the identity of an entry do (ctime cannot be set back). */
export function stampOf(stat: BigIntStats): string {
  return [stat.ino, stat.mode, stat.size, stat.mtimeNs, stat.ctimeNs].join(":");
}

/**
 * Runs `act` on the tree of `root`, and makes sure that the tree was the same before and after: a release is never half
 * of an old and half of a new build.
 * @throws `release-source` when it changed while it was read
 */
export async function withStableTree<T>(
  root: string,
  signal: AbortSignal,
  skip: string | null,
  act: (entries: readonly TreeEntry[]) => Promise<T>,
): Promise<T> {
  const before = await readTree(root, signal, skip);
  try {
    const result = await act(before);
    const changed = firstDifference(before, await readTree(root, signal, skip));
    if (changed === null) return result;
    throw changedWhileRead(root, changed);
  } catch (thrown) {
    // A file that went away between listing and reading.
    if (errnoOf(thrown) === "ENOENT") throw changedWhileRead(root, String(thrown));
    throw thrown;
  }
}

function changedWhileRead(root: string, what: string): TealError {
  return new TealError("release-source", `${root} changed while it was being read: ${what}`, {
    remedy: "Let the build finish, then deploy again.",
  });
}

function firstDifference(before: readonly TreeEntry[], after: readonly TreeEntry[]): string | null {
  for (let i = 0; i < Math.max(before.length, after.length); i++) {
    const [old, now] = [before[i], after[i]];
    if (old === undefined) return now?.path ?? null;
    if (old.path !== now?.path || old.stamp !== now.stamp) return old.path;
  }
  return null;
}
