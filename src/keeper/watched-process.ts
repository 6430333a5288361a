import { type SpawnOptions, spawn } from "node:child_process";
import type { Clock, Milliseconds } from "../model/time.ts";
import { readStat } from "../wire/process-stat.ts";

/** How a process ended. Both null: it was not our child, so the kernel tells us no more than that. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface WatchedProcess {
  readonly pid: number;
  /** See ProcessStat: tells it from a later process with the same pid. */
  readonly startTicks: number;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
}

export function printExit({ code, signal }: Exit): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? "has ended" : `ended with exit code ${String(code)}`;
}

/**
 * Starts a process in a session, and so a process group, of its own: no terminal reaches it, and its group can be signalled.
 * @throws what spawn reports: an Error with `code` ENOENT, EACCES, EAGAIN …
 */
export async function spawnWatched(command: readonly string[], options: SpawnOptions): Promise<WatchedProcess> {
  const [file, ...args] = command;
  const child = spawn(file ?? "", args, { ...options, detached: true });
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => {
      resolve({ code, signal });
    });
  });
  const { pid } = child;
  if (pid === undefined) {
    const failure = await new Promise<Error>((resolve) => child.once("error", resolve));
    throw failure;
  }
  // Not reaped before the next turn of the event loop, so its entry is there even when it has ended already.
  return { pid, startTicks: readStat(pid)?.startTicks ?? 0, exited };
}

/** How often a process that is not our child is looked at. */
const POLL_MS: Milliseconds = 150;

/** Watches a process that somebody else started; null when it is not there any more, or the pid is another's by now. */
export function adoptProcess(
  known: { readonly pid: number; readonly startTicks: number },
  clock: Clock,
  signal: AbortSignal,
): WatchedProcess | null {
  const alive = (): boolean => readStat(known.pid)?.startTicks === known.startTicks;
  if (!alive()) return null;
  const watch = async (): Promise<Exit> => {
    while (alive()) await clock.sleep(POLL_MS, signal);
    return { code: null, signal: null };
  };
  const exited = watch().catch((thrown: unknown) => {
    // The keeper itself is ending, and nobody asks any more.
    if (signal.aborted) return new Promise<Exit>(() => undefined);
    throw thrown;
  });
  return { pid: known.pid, startTicks: known.startTicks, exited };
}
