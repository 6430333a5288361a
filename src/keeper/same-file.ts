import { statSync } from "node:fs";

/**
 * Whether `path`, absolute, is for the process the same file or folder as `own` is for this one, by device and inode: in a
 * container it may be another, and a link may give it two names. Where there is nothing on either side the paths stand; where
 * the view of a process of the same user may not be looked at, this one's does.
 */
export function seesSameFile(pid: number, path: string, own = path): boolean {
  const theirs = identityOf(`/proc/${String(pid)}/root${path}`);
  if (theirs === "unknown") return isOfThisUser(pid) && isSame(path, identityOf(path), own);
  return isSame(path, theirs, own);
}

function isSame(path: string, identity: string, own: string): boolean {
  const isOne = identity === identityOf(own);
  return isOne && (path === own || (identity !== "none" && identity !== "unknown"));
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
