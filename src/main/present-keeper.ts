import { TealError, toTealError } from "../model/error.ts";
import { findTeal } from "../keeper/orphans.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import type { StatePaths } from "../wire/paths.ts";
import { type Keeper, keeperOf } from "./keeper-client.ts";

/** A new keeper that hangs is given up by the proxy after 20 s, and the old one is started again. */
const NEW_KEEPER_MS: Milliseconds = 60_000;
const ASK_EVERY_MS: Milliseconds = 50;
/** How often it is looked whether anything of Teal is left, while no keeper answers. */
const LOOK_EVERY_MS: Milliseconds = 1_000;

export interface Wait {
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Asks the keeper of the moment; one that is being replaced, or ends before it has answered, is waited for: every call to it
 * may be made again. @throws `keeper-down`, soon where nothing of Teal is left that would start one; the signal's reason
 */
export async function withKeeper<T>({ paths, clock, signal }: Wait, use: (keeper: Keeper) => Promise<T>): Promise<T> {
  const until = clock.monotonic() + NEW_KEEPER_MS;
  let lookAt = clock.monotonic() + LOOK_EVERY_MS;
  for (;;) {
    const found = await keeperOf(paths, signal);
    if (found !== null) {
      using keeper = found;
      try {
        return await use(keeper);
      } catch (thrown) {
        unlessGone(thrown);
      }
    }
    if (clock.monotonic() > until) throw new TealError("keeper-down", `no keeper answers at ${paths.keeperSocket}`);
    if (clock.monotonic() > lookAt) {
      lookAt += LOOK_EVERY_MS;
      if (nothingRuns(paths))
        throw new TealError("keeper-down", "Teal has been taken down meanwhile", { remedy: "`teal up` starts it." });
    }
    await clock.sleep(ASK_EVERY_MS, signal);
  }
}

/** @throws what is no end of the keeper */
export function unlessGone(thrown: unknown): void {
  if (toTealError(thrown).code !== "keeper-down") throw thrown;
}

export function nothingRuns({ root }: StatePaths): boolean {
  return (["keeper", "proxy", "server"] as const).every((program) => findTeal(program, root).length === 0);
}
