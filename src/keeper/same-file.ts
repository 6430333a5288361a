import { statSync } from "node:fs";

/**
 * Whether `path`, absolute, is the same file or folder for the process as for this one, by device and inode: in a container
 * it may be another. Where the process's view may not be looked at, or there is nothing on either side, the path stands.
 */
export function seesSameFile(pid: number, path: string): boolean {
  const theirs = identityOf(`/proc/${String(pid)}/root${path}`);
  return theirs === "unknown" || theirs === identityOf(path);
}

function identityOf(path: string): string {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${String(dev)}:${String(ino)}`;
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : null;
    return code === "ENOENT" || code === "ENOTDIR" ? "none" : "unknown";
  }
}
