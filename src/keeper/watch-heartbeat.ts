import type { Milliseconds } from "../model/time.ts";
import type { KeeperProtocol } from "../wire/keeper.ts";
import type { Program } from "../wire/launch.ts";
import type { Peer } from "../wire/peer.ts";
import { Heartbeat, LOOK_EVERY_MS } from "./heartbeat.ts";
import type { KeeperParts } from "./parts.ts";
import { type ProcessStat, readStat } from "./procfs.ts";
import { isSameProgram, ownProgram } from "./program.ts";
import type { WatchedProcess } from "./watched-process.ts";

/** Looks without an answer until a process that had presented itself is said to hang: about 10 s. */
const HUNG_LOOKS = 10;
/** The same for one that never has, which may take long to start. */
const NEVER_CAME_LOOKS = 60;
const PING_MS: Milliseconds = 60_000;

/** One look at a process that answers nothing for too long. */
export interface HungLook {
  readonly silentSeconds: number;
  readonly stat: ProcessStat;
}

export interface HeartbeatWatch {
  readonly process: WatchedProcess;
  /** What it runs from: only the keeper's own is known to present itself. */
  readonly program: Program;
  readonly parts: KeeperParts;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** At each look while it hangs. */
  readonly onHung: (look: HungLook) => void;
  /** At each look while it does not. */
  readonly onWell?: () => void;
}

/**
 * Asks a process once a second whether it is well, over the connection by which it presented itself, until the signal aborts
 * or the process is gone. The event loop answers, not the store: a slow disk is no hang.
 */
export async function watchHeartbeat(watch: HeartbeatWatch): Promise<void> {
  const { process, parts, signal } = watch;
  const { clock, acquaintances } = parts;
  const beat = new Heartbeat(clock.monotonic());
  const isOwn = isSameProgram(watch.program, ownProgram(parts));
  let mostLooks = isOwn ? NEVER_CAME_LOOKS : Infinity;
  let asked: Peer<KeeperProtocol> | null = null;
  for (;;) {
    const peer = acquaintances.of(process.pid);
    if (peer !== null && peer !== asked) {
      mostLooks = HUNG_LOOKS;
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

async function slept({ parts, signal }: HeartbeatWatch): Promise<boolean> {
  try {
    await parts.clock.sleep(LOOK_EVERY_MS, signal);
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
