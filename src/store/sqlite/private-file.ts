import { chmodSync, closeSync, openSync } from "node:fs";

/**
 * Makes an empty file for this user alone (0600), which SQLite takes for a new database, or makes one that is there
 * private; SQLite gives the files beside it the same mode. One that is there is never opened: POSIX drops a process's
 * locks on a file when it closes any descriptor of it.
 */
export function ensurePrivateFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST")) throw thrown;
    chmodSync(path, 0o600);
  }
}
