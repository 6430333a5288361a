import type { Clock, Milliseconds } from "../model/time.ts";
import { Heartbeat, LOOK_EVERY_MS } from "./heartbeat.ts";
import type { KeeperProtocol } from "./keeper.ts";
import type { Peer } from "./peer.ts";
import { type ProcessStat, readStat } from "./process-stat.ts";

const PING_MS: Milliseconds = 60_000;

/** One look at a process that answers nothing for too long. */
export interface HungLook {
  readonly silentSeconds: number;
  readonly stat: ProcessStat;
}

export interface HeartbeatWatch {
  /** With its start a process is never taken for another that got its id. */
  readonly process: Pick<ProcessStat, "pid" | "startTicks">;
  /** The connection by which it is asked; null: there is none now. */
  readonly peer: () => Peer<KeeperProtocol> | null;
  /** Looks without an answer until it is said to hang, once it was asked at all. */
  readonly hungLooks: number;
  /** The same for one to which there was never a connection. */
  readonly neverCameLooks: number;
  readonly clock: Clock;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** At each look while it hangs. */
  readonly onHung: (look: HungLook) => void;
  /** At each look while it does not. */
  readonly onWell?: () => void;
}

/**
 * Asks a process once a second whether it is well until the signal aborts or the process is gone. The event loop answers, not
 * the store: a slow disk is no hang.
 */
export async function watchHeartbeat(watch: HeartbeatWatch): Promise<void> {
  const { process, clock, signal } = watch;
  const beat = new Heartbeat(clock.monotonic());
  let mostLooks = watch.neverCameLooks;
  let asked: Peer<KeeperProtocol> | null = null;
  for (;;) {
    const peer = watch.peer();
    if (peer !== null && peer !== asked) {
      mostLooks = watch.hungLooks;
      asked = peer;
      void answers(peer, signal).then((isThere) => {
        if (isThere) beat.answered();
        if (asked === peer) asked = null;
      });
    }
    if (!(await slept(watch))) return;
    const stat = readStat(process.pid);
    if (stat?.startTicks !== process.startTicks) return;
    const silent = beat.look(clock.monotonic(), stat.state);
    if (silent >= mostLooks) watch.onHung({ silentSeconds: silent, stat });
    else watch.onWell?.();
  }
}

async function answers(peer: Peer<KeeperProtocol>, signal: AbortSignal): Promise<boolean> {
  try {
    await peer.call("ping", {}, { timeoutMs: PING_MS, signal });
    return true;
  } catch {
    // Silence, the end of the connection or of the watch: none of them is an answer.
    return false;
  }
}

async function slept({ clock, signal }: HeartbeatWatch): Promise<boolean> {
  try {
    await clock.sleep(LOOK_EVERY_MS, signal);
    return true;
  } catch (thrown) {
    if (signal.aborted) return false;
    throw thrown;
  }
}

/** What a person can make of the state of a process that answers nothing. */
export function stateWords(state: string): string {
  switch (state) {
    case "T":
      return "it is stopped, as by SIGSTOP";
    case "R":
      return "it is busy without end";
    default:
      return `it waits, in state ${state}`;
  }
}
