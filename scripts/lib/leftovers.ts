import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/** How long a process may take to end after the test that started it. */
const GRACE_MS = 3_000;

/**
 * Processes that carry `marker` in the environment they were started with and are still there after a moment's grace.
 * They are ended. Linux only: elsewhere there is no /proc to look into, and the answer is empty.
 */
export async function endLeftovers(marker: string): Promise<readonly Leftover[]> {
  const deadline = performance.now() + GRACE_MS;
  let found = processesWith(marker);
  while (found.length > 0 && performance.now() < deadline) {
    await wait(100);
    found = processesWith(marker);
  }
  for (const { pid } of found) process.kill(pid, "SIGKILL");
  return found;
}

function processesWith(marker: string): readonly Leftover[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || !(read(pid, "environ")?.includes(marker) ?? false)) return [];
    // A zombie waits only for its parent to look at it.
    if (/\) Z /.test(read(pid, "stat") ?? "")) return [];
    return [{ pid, command: (read(pid, "cmdline") ?? "").replaceAll("\0", " ").trim() }];
  });
}

/** @returns null for a process that has ended, or is somebody else's. */
function read(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, "utf8");
  } catch {
    return null;
  }
}
