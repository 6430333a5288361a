import type { Program } from "../wire/launch.ts";
import { type HeartbeatWatch, watchHeartbeat } from "../wire/watch-heartbeat.ts";
import type { KeeperParts } from "./parts.ts";
import { isSameProgram, ownProgram } from "./program.ts";
import type { WatchedProcess } from "./watched-process.ts";

/** About 10 s. */
const HUNG_LOOKS = 10;
/** One that has not presented itself yet may take long to start. */
const NEVER_CAME_LOOKS = 60;

export interface ChildWatch extends Pick<HeartbeatWatch, "signal" | "onHung" | "onWell"> {
  readonly process: WatchedProcess;
  /** What it runs from: only the keeper's own is known to present itself. */
  readonly program: Program;
  readonly parts: KeeperParts;
}

/** Asks a server or a proxy whether it is well, over the connection by which it presented itself; see {@link watchHeartbeat}. */
export function watchChild({ parts, program, process, ...watch }: ChildWatch): Promise<void> {
  const { clock, acquaintances } = parts;
  const isOwn = isSameProgram(program, ownProgram(parts));
  return watchHeartbeat({
    ...watch,
    process,
    clock,
    peer: () => acquaintances.of(process.pid),
    hungLooks: HUNG_LOOKS,
    neverCameLooks: isOwn ? NEVER_CAME_LOOKS : Infinity,
  });
}
