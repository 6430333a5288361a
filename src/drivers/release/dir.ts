import { stat } from "node:fs/promises";
import { TealError } from "../../model/error.ts";
import { copyTree } from "./copy.ts";
import { digestTree } from "./digest.ts";
import { refuseEscapingLinks } from "./links.ts";
import { errnoOf, fromSource, type SourceReader } from "./source.ts";
import { type TreeEntry, withStableTree } from "./tree.ts";

/** @throws `release-source` unless `path` is a folder */
export async function requireFolder(path: string): Promise<void> {
  const found = await stat(path).catch((thrown: unknown) => {
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENOTDIR") return null;
    throw thrown;
  });
  if (found?.isDirectory() === true) return;
  throw new TealError("release-source", found === null ? `there is no folder ${path}` : `${path} is not a folder`);
}

/** A folder as it is at the moment of the deploy; the version only names it. */
export class DirSource implements SourceReader<"dir"> {
  readonly #stateRoot: string;

  /** `stateRoot` is left out of the copy when it lies within the folder. */
  constructor(stateRoot: string) {
    this.#stateRoot = stateRoot;
  }

  digest(_version: string, source: { readonly dir: string }, signal: AbortSignal): Promise<string> {
    return this.#read(source.dir, signal, (entries) => digestTree(source.dir, entries, signal));
  }

  fill(_version: string, source: { readonly dir: string }, into: string, signal: AbortSignal): Promise<string> {
    return this.#read(source.dir, signal, async (entries) => {
      await copyTree(source.dir, entries, into, signal);
      // Of the copy, not of the source: it is what will run.
      return await digestTree(into, entries, signal);
    });
  }

  #read(dir: string, signal: AbortSignal, act: (entries: readonly TreeEntry[]) => Promise<string>): Promise<string> {
    return fromSource(`reading ${dir}`, signal, async () => {
      await requireFolder(dir);
      return await withStableTree(dir, signal, this.#stateRoot, async (entries) => {
        const links = entries.flatMap((entry) => (entry.kind === "link" ? [[entry.path, entry.target] as const] : []));
        refuseEscapingLinks(dir, new Map(links));
        return await act(entries);
      });
    });
  }
}
