import { findTeal } from "../keeper/orphans.ts";
import { isToGoOn } from "../keeper/record.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { keeperOf } from "./keeper-client.ts";
import type { StatePaths } from "../wire/paths.ts";
import { statePathsOf } from "./state-paths.ts";

/** A proxy that has lost its keeper starts a new one; only after this time is it the end. */
const NEW_KEEPER_MS: Milliseconds = 5_000;
/** The same as long as a server or a proxy lives that is to start one, as it may on a machine that is short of everything. */
const LONGEST_MS: Milliseconds = 30_000;
const ASK_EVERY_MS: Milliseconds = 200;

/**
 * Resolves when no keeper answers any more for this teal.yaml. One that was told to stop has removed its record.
 * @throws the signal's reason
 */
export async function keeperEnd(config: string, clock: Clock, signal: AbortSignal): Promise<"stopped" | "died"> {
  const paths = statePathsOf(config);
  let lastSeen = clock.monotonic();
  for (;;) {
    const keeper = await keeperOf(paths, signal);
    if (keeper === null) {
      const goneMs = clock.monotonic() - lastSeen;
      if (goneMs >= NEW_KEEPER_MS && (goneMs >= LONGEST_MS || !(await isAwaited(paths)))) break;
      await clock.sleep(ASK_EVERY_MS, signal);
      continue;
    }
    const onAbort = (): void => {
      keeper[Symbol.dispose]();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    // It may have come while the keeper was asked.
    if (signal.aborted) onAbort();
    await keeper.peer.closed;
    signal.removeEventListener("abort", onAbort);
    signal.throwIfAborted();
    lastSeen = clock.monotonic();
  }
  return (await isToGoOn(paths.keeperRecord)) ? "died" : "stopped";
}

/** Whether somebody lives who is to start the next one. */
async function isAwaited(paths: StatePaths): Promise<boolean> {
  if (!(await isToGoOn(paths.keeperRecord))) return false;
  return (["proxy", "server"] as const).some((program) => findTeal(program, paths.root).length > 0);
}
