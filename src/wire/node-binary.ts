import { existsSync } from "node:fs";

/** What the kernel adds to the name of a running program whose file has been removed (proc_pid_exe(5)). */
const DELETED = / \(deleted\)$/;

/** The Node binary that this process runs from, by the name that it had at its start. */
export function ownNode(execPath: string = process.execPath): string {
  return execPath.replace(DELETED, "");
}

/**
 * What to start another process with. A Node that was removed under a running Teal (by a version manager, say) can still be
 * run through /proc, as the kernel keeps the file while a process has it: better than no proxy. It is said each time.
 */
export function runnableNode(node: string, log: (text: string) => void): string {
  if (existsSync(node)) return node;
  log(
    `the Node binary ${node} that Teal was started with is gone; the copy in memory is used as long as this process ` +
      "lives. Run `teal up --yes` with a Node that is there, so that Teal can be started again",
  );
  return existsSync(ownNode()) ? ownNode() : `/proc/${String(process.pid)}/exe`;
}
