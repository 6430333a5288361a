import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { ROOT } from "./root.ts";

export interface Ran {
  /** Null when a signal ended it. */
  readonly code: number | null;
  /** Whether it was ended because its time was over. */
  readonly late: boolean;
}

const GRACE_MS = 5_000;
const interruption = new AbortController();
/** Aborted when a person or CI has ended this run while a command ran. */
export const interrupted: AbortSignal = interruption.signal;

/**
 * Runs a program with this terminal as its output, in a process group of its own, which is ended when the time is over
 * or this process is interrupted: nothing that it started outlives it.
 * @param deadlineMs how long it may take.
 */
export async function run(
  [program = "", ...args]: readonly string[],
  { deadlineMs = 600_000, env = {} }: { deadlineMs?: number; env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
    env: { ...process.env, ...env },
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(child, "SIGKILL");
  }, deadlineMs);
  const interrupt = (): void => {
    interruption.abort();
    endGroup(child, "SIGTERM");
    setTimeout(endGroup, GRACE_MS, child, "SIGKILL").unref();
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    await once(child, "close");
    return { code: child.exitCode, late };
  } finally {
    clearTimeout(timer);
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/** {@link run}, where anything but success is an error. */
export async function succeed(command: readonly string[]): Promise<void> {
  const { code, late } = await run(command);
  if (interrupted.aborted) process.exit(130);
  if (code !== 0) throw new Error(`${command.join(" ")} ${late ? "took too long" : "failed"}`);
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: the whole group has ended meanwhile.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
