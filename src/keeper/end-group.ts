import type { Clock, Milliseconds } from "../model/time.ts";
import { groupOf } from "./family.ts";
import { allProcesses } from "./procfs.ts";
import type { ProcessStat } from "../wire/process-stat.ts";
import { SharedReading } from "./shared-reading.ts";
import type { WatchedProcess } from "./watched-process.ts";

const POLL_MS: Milliseconds = 20;

/**
 * Ends a process with its whole group: the signal, `timeoutMs` for all of them to end, then SIGKILL. Returns when none is
 * left, or when some survive SIGKILL for {@link KILL_WAIT_MS} (uninterruptible sleep: only the kernel can end those).
 */
export async function endGroup(
  process: WatchedProcess,
  how: { readonly signal: NodeJS.Signals; readonly timeoutMs: Milliseconds },
  clock: Clock,
  scan: SharedReading<readonly ProcessStat[]> = new SharedReading(clock, allProcesses),
): Promise<void> {
  signalGroup(process.pid, how.signal);
  if (await gone(process, how.timeoutMs, clock, scan)) return;
  killLeftovers(process.pid);
  await gone(process, KILL_WAIT_MS, clock, scan);
}
const KILL_WAIT_MS: Milliseconds = 5_000;

/** SIGKILL to everything in the group and session of a process, whether or not it still runs itself. */
export function killLeftovers(leader: number): void {
  for (const pid of groupOf(leader)) sendSignal(pid, "SIGKILL");
}

/** A stopped process (SIGSTOP) would keep the signal for later: it is woken as well. */
function signalGroup(leader: number, signal: NodeJS.Signals): void {
  sendSignal(-leader, signal);
  sendSignal(-leader, "SIGCONT");
}

async function gone(
  process: WatchedProcess,
  withinMs: Milliseconds,
  clock: Clock,
  scan: SharedReading<readonly ProcessStat[]>,
): Promise<boolean> {
  const until = clock.monotonic() + withinMs;
  let ended = false;
  const exited = process.exited.then(() => {
    ended = true;
  });
  for (;;) {
    if (ended && groupOf(process.pid, await scan.fresh()).length === 0) return true;
    const leftMs = until - clock.monotonic();
    if (leftMs <= 0) return false;
    const stop = new AbortController();
    const pause = clock.sleep(ended ? Math.min(POLL_MS, leftMs) : leftMs, stop.signal).catch(() => undefined);
    await (ended ? pause : Promise.race([exited, pause]));
    stop.abort();
  }
}

/** ESRCH: it has just ended, which is what was wanted. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")) throw thrown;
  }
}
