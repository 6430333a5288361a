import { rename } from "node:fs/promises";

/** Shifts `path.1` to `path.2` and so on, up to `files` files with `path` itself; the oldest is replaced. */
export async function shiftNumbered(path: string, files: number): Promise<void> {
  for (let number = files - 1; number >= 2; number -= 1) {
    await renameIfThere(`${path}.${String(number - 1)}`, `${path}.${String(number)}`);
  }
}

export async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT")) throw thrown;
  }
}
