import { existsSync } from "node:fs";
import type { Clock } from "../model/time.ts";
import { keeperOf } from "./keeper-client.ts";
import { statePathsOf } from "./state-paths.ts";

/** A proxy that has lost its keeper starts a new one; only after this time is it the end. */
const NEW_KEEPER_MS = 5_000;

/**
 * Resolves when no keeper answers any more for this teal.yaml. One that was told to stop has removed its record.
 * @throws the signal's reason
 */
export async function keeperEnd(config: string, clock: Clock, signal: AbortSignal): Promise<"stopped" | "died"> {
  const paths = statePathsOf(config);
  let lastSeen = clock.monotonic();
  while (clock.monotonic() - lastSeen < NEW_KEEPER_MS) {
    const keeper = await keeperOf(paths, signal);
    if (keeper === null) {
      await clock.sleep(200, signal);
      continue;
    }
    const onAbort = (): void => {
      keeper[Symbol.dispose]();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    await keeper.peer.closed;
    signal.removeEventListener("abort", onAbort);
    signal.throwIfAborted();
    lastSeen = clock.monotonic();
  }
  return existsSync(paths.keeperRecord) ? "died" : "stopped";
}
