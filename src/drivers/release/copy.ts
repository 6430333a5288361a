import { chmod, constants, copyFile, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { forEachBounded } from "./parallel.ts";
import type { TreeEntry } from "./tree.ts";

/**
 * Copies `entries` of `from` into the empty folder `into`: modes kept, links as they are, blocks shared where the file
 * system can (FICLONE). Not `fs.cp`: that refuses to copy a folder into one below it, and `.teal` is often there.
 */
export async function copyTree(
  from: string,
  entries: readonly TreeEntry[],
  into: string,
  signal: AbortSignal,
): Promise<void> {
  for (const entry of entries) {
    if (entry.kind !== "dir") continue;
    const path = join(into, entry.path);
    await mkdir(path);
    // The owner's bits are added so that the folder can be filled now and pruned later. Set here, as the umask is taken off in mkdir.
    await chmod(path, entry.mode | 0o700);
  }
  await forEachBounded(entries, 8, signal, async (entry) => {
    const to = join(into, entry.path);
    if (entry.kind === "file") await copyFile(join(from, entry.path), to, constants.COPYFILE_FICLONE);
    if (entry.kind === "link") await symlink(entry.target, to);
  });
}
