import { TealError } from "../model/error.ts";
import type { Clock } from "../model/time.ts";
import type { KeeperProtocol } from "./keeper.ts";
import { endKeeper } from "./keeper-starter.ts";
import type { Peer } from "./peer.ts";
import { readStat } from "./process-stat.ts";
import { stateWords, watchHeartbeat } from "./watch-heartbeat.ts";

export interface HungKeeperWatch {
  /** The connection by which it is asked; the watch ends with it. */
  readonly peer: Peer<KeeperProtocol>;
  readonly pid: number;
  /** Looks without an answer, about a second each, until it is said to hang. */
  readonly looks: number;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  /** It hangs, and is ended next. */
  readonly onHung: () => void;
}

/**
 * SIGKILL: a stopped or busy process never gets to heed another signal, and the next keeper takes over from one that was
 * killed at any moment. A process that stands still itself counts none of that time, and ends nobody for it.
 */
export async function endWhenHung({ peer, pid, looks, clock, log, onHung }: HungKeeperWatch): Promise<void> {
  const process = readStat(pid);
  // Without /proc nobody could tell it from another process with its id.
  if (process === null) return;
  const over = new AbortController();
  void peer.closed.then(() => over.abort(new TealError("aborted", "the connection to the keeper has ended")));
  let isEnded = false;
  await watchHeartbeat({
    process,
    peer: () => peer,
    hungLooks: looks,
    neverCameLooks: looks,
    clock,
    signal: over.signal,
    onHung: ({ silentSeconds, stat }) => {
      if (isEnded) return;
      isEnded = true;
      onHung();
      const silence = `the keeper (process ${String(pid)}) has not answered for ${String(silentSeconds)} s`;
      log(`${silence}: ${stateWords(stat.state)}; it is ended with SIGKILL, so that another takes its place`);
      endKeeper(pid, log);
    },
  });
}
