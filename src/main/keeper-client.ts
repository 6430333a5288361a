import type { ChildProcess } from "node:child_process";
import { TealError, toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { connectPeer } from "../wire/connect.ts";
import { KEEPER_PROTOCOL, type KeeperProtocol } from "../wire/keeper.ts";
import type { StatePaths } from "../wire/paths.ts";
import type { Peer } from "../wire/peer.ts";
import { isAlive } from "../wire/process-stat.ts";
import type { Result } from "../wire/protocol.ts";

/** A connection to the keeper of a state directory. */
export interface Keeper {
  readonly pid: number;
  readonly peer: Peer<KeeperProtocol>;
  status(): Promise<Result<KeeperProtocol, "status">>;
  [Symbol.dispose](): void;
}

/** The keeper that answers now, or null. @throws `protocol-mismatch`, the signal's reason */
export async function keeperOf(paths: StatePaths, signal?: AbortSignal): Promise<Keeper | null> {
  signal?.throwIfAborted();
  try {
    const peer = await connectPeer(paths.keeperSocket, KEEPER_PROTOCOL, {
      down: "keeper-down",
      timeoutMs: 5_000,
      ...(signal === undefined ? {} : { signal }),
    });
    const status = (): Promise<Result<KeeperProtocol, "status">> => peer.call("status", {});
    const { pid } = await status();
    return {
      pid,
      peer,
      status,
      [Symbol.dispose]: () => {
        peer.close();
      },
    };
  } catch (thrown) {
    signal?.throwIfAborted();
    if (toTealError(thrown).code === "keeper-down") return null;
    throw thrown;
  }
}

/** Polls until `done`. Whether it came to that within `ms`. */
export async function until(
  done: () => boolean,
  ms: Milliseconds,
  clock: Clock,
  signal?: AbortSignal,
): Promise<boolean> {
  const end = clock.monotonic() + ms;
  while (!done()) {
    if (clock.monotonic() > end) return false;
    await clock.sleep(25, signal);
  }
  return true;
}

/** Ends a keeper that this process has started and what it has started in turn: by its own way, else by force. */
export async function stopKeeper(child: ChildProcess, paths: StatePaths, clock: Clock): Promise<void> {
  const { pid } = child;
  if (pid === undefined || !isAlive(pid)) return;
  try {
    using keeper = await keeperOf(paths);
    if (keeper?.pid === pid) await keeper.peer.call("down", { drainMs: 0 }, { timeoutMs: 15_000 });
  } catch (thrown) {
    // It may end before it has answered; what matters is looked at next.
    if (!(thrown instanceof TealError)) throw thrown;
  }
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (await until(() => !isAlive(pid), 5_000, clock)) return;
    child.kill(signal);
  }
  await until(() => !isAlive(pid), 5_000, clock);
}
