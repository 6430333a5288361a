import { statSync } from "node:fs";

/**
 * Whether `path`, absolute, is the same file or folder for the process as for this one, by device and inode: in a container
 * it may be another. Where there is nothing on either side, or the
 * view of a process of the same user may not be looked at, the path stands.
 */
export function seesSameFile(pid: number, path: string): boolean {
  const theirs = identityOf(`/proc/${String(pid)}/root${path}`);
  return theirs === "unknown" ? isOfThisUser(pid) : theirs === identityOf(path);
}

/** What another user's process sees cannot be looked at, and nothing of another user is ever taken for one's own. */
function isOfThisUser(pid: number): boolean {
  try {
    return statSync(`/proc/${String(pid)}`).uid === process.getuid?.();
  } catch {
    // It has ended.
    return false;
  }
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
