import { mkdir, open, rename } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Makes a file, or what a folder lists, durable: fsync(2) of a file says nothing of its name. */
export async function syncPath(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}

/** Replaces a file, which is for this user alone, whole or not at all; durable when it resolves. One writer at a time. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  {
    await using file = await open(temporary, "w", 0o600);
    await file.writeFile(content);
    await file.sync();
  }
  await rename(temporary, path);
  await syncPath(dirname(path));
}

/** Makes a folder, and those above it, where there is none: what is durable in it can then be found. */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const first = await mkdir(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  if (first === undefined) return;
  const above = dirname(resolve(first));
  for (let made = resolve(path); made !== above;) {
    made = dirname(made);
    await syncPath(made);
  }
}
