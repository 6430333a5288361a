import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Clock, Milliseconds } from "../../model/time.ts";

export interface GroupEnd {
  readonly exitCode: number | null;
  readonly killedBy: NodeJS.Signals | null;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Time from SIGTERM to SIGKILL, and for what left the group to let go of the output. */
const GRACE: Milliseconds = 2_000;

/**
 * Runs argv as the leader of a process group of its own, and leaves nothing of the group behind: when the signal aborts
 * (SIGTERM, 2 s later SIGKILL), and also when the leader has ended and something it began has not.
 * @throws the error of spawn (ENOENT …) when it could not be started
 */
export async function runGroup(
  argv: readonly string[],
  options: { readonly cwd: string; readonly env: Record<string, string>; readonly onOutput: (chunk: Buffer) => void },
  clock: Clock,
  signal: AbortSignal,
): Promise<GroupEnd> {
  const [command = "", ...args] = argv;
  const { cwd, env } = options;
  const child: Child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.on("data", options.onOutput);
  child.stderr.on("data", options.onOutput);
  const exited = Promise.withResolvers<GroupEnd>();
  const closed = Promise.withResolvers<undefined>();
  child.once("error", exited.reject);
  child.once("exit", (exitCode, killedBy) => {
    exited.resolve({ exitCode, killedBy });
  });
  child.once("close", () => {
    closed.resolve(undefined);
  });
  const settled = new AbortController();
  const onAbort = (): void => {
    void endGroup(child, clock, settled.signal);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const end = await exited.promise;
    if (!signal.aborted) void endGroup(child, clock, settled.signal);
    // Something that left the group may hold the pipes open: it does not hold us.
    await Promise.race([closed.promise, clock.sleep(GRACE + 500, settled.signal).catch(() => undefined)]);
    return end;
  } finally {
    settled.abort();
    signal.removeEventListener("abort", onAbort);
    killGroup(child, "SIGKILL");
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

async function endGroup(child: Child, clock: Clock, settled: AbortSignal): Promise<void> {
  killGroup(child, "SIGTERM");
  try {
    await clock.sleep(GRACE, settled);
    killGroup(child, "SIGKILL");
  } catch {
    // Settled before: the last SIGKILL follows at once.
  }
}

function killGroup(child: Child, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (thrown) {
    // ESRCH: the group is empty, which is what was wanted.
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")) throw thrown;
  }
}
