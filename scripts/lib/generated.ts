import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { format } from "prettier";

/** A file of the repository that is made from sources and kept beside them. */
export interface Generated {
  /** From the root. */
  readonly path: string;
  readonly content: string;
}

/** Documents stay as they are made; the rest has to pass the format check. */
async function textOf({ path, content }: Generated): Promise<string> {
  return path.endsWith(".md") ? content : await format(content, { filepath: path, printWidth: 120 });
}

async function isStale(root: string, path: string, text: string): Promise<boolean> {
  try {
    return (await readFile(join(root, path), "utf8")) !== text;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return true;
    throw error;
  }
}

/**
 * Compares each file with what its sources make of it now, and unless `checkOnly` writes those that differ.
 * @returns the paths that differ.
 */
export async function bringUpToDate(
  root: string,
  files: readonly Generated[],
  { checkOnly }: { checkOnly: boolean },
): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const file of files) {
    const text = await textOf(file);
    if (!(await isStale(root, file.path, text))) continue;
    stale.push(file.path);
    if (checkOnly) continue;
    await mkdir(dirname(join(root, file.path)), { recursive: true });
    await writeFile(join(root, file.path), text);
  }
  return stale;
}
