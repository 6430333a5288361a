import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Processes that run in `folder` or name it in their arguments, this one left out. */
function processesOf(folder: string): readonly number[] {
  const pids = readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  return pids.filter((pid) => {
    try {
      const where = `/proc/${String(pid)}`;
      return (
        readlinkSync(`${where}/cwd`).startsWith(folder) || readFileSync(`${where}/cmdline`, "utf8").includes(folder)
      );
    } catch {
      return false; // It has ended, or is another user's.
    }
  });
}

/**
 * Waits until nothing of `folder` runs any more. What still runs after `patienceMs` is ended.
 * @returns the ids of those that had to be ended
 */
export async function awaitNoProcess(folder: string, patienceMs: number): Promise<readonly number[]> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const left = processesOf(folder);
    if (left.length === 0) return [];
    if (performance.now() > deadline) {
      for (const pid of left) endProcess(pid);
      return left;
    }
    await sleep(50);
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")) throw thrown;
  }
}
