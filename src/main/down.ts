import { TealError, toTealError } from "../model/error.ts";
import { findTeal } from "../keeper/orphans.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { TealClient } from "../sdk/client.ts";
import type { StatePaths } from "../wire/paths.ts";
import { isAlive, type Keeper, keeperOf, until } from "./keeper-client.ts";
import { statePathsOf } from "./state-paths.ts";

export interface DownOptions {
  /** teal.yaml, absolute; need not be there. */
  readonly config: string;
  /** Longest wait for requests in flight. */
  readonly drainMs: Milliseconds;
  /** Longest that an app may take to end after its stop signal, as far as is known. */
  readonly stopMs: Milliseconds;
  readonly clock: Clock;
  /** Ends the wait; the keeper goes on with stopping. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface DownResult {
  /** False when nothing ran. */
  readonly stopped: boolean;
}

/** For what drain and stop do not cover. */
const MARGIN_MS = 30_000;
/** A proxy that has lost its keeper starts a new one within this time. */
const NEW_KEEPER_MS = 10_000;

/**
 * Drains, stops the apps, and ends Teal; returns when the keeper has ended. Needs the keeper alone: the server may be dead.
 * @throws `keeper-down` when something of Teal runs without a keeper, `deadline-passed`
 */
export async function down(options: DownOptions): Promise<DownResult> {
  const { config, drainMs, stopMs, clock, signal, say } = options;
  const paths = statePathsOf(config);
  const first = await findKeeper(paths, clock, signal);
  if (first === null) return { stopped: false };
  const longestMs = drainMs + stopMs + MARGIN_MS;
  say(`Draining for at most ${String(Math.round(drainMs / 1_000))} s, then stopping …`);
  // One that ended without an answer may have left to another, as in an upgrade, or was killed: then that one is asked.
  for (let next: Keeper | null = first; next !== null; next = await findKeeper(paths, clock, signal)) {
    using keeper = next;
    const isAnswered = await askDown(keeper, longestMs, options);
    if (!(await until(() => !isAlive(keeper.pid), longestMs, clock, signal))) {
      throw new TealError(
        "deadline-passed",
        `the keeper (process ${String(keeper.pid)}) has not ended within ${String(longestMs / 1_000)} s`,
        {
          remedy: "It goes on stopping by itself; see .teal/logs/keeper.log.",
        },
      );
    }
    if (isAnswered) break;
  }
  return { stopped: true };
}

/** False: the connection ended before the answer came. */
async function askDown(
  { peer }: Keeper,
  longestMs: Milliseconds,
  { drainMs, clock, signal }: DownOptions,
): Promise<boolean> {
  try {
    await peer.call("down", { drainMs }, { timeoutMs: longestMs, signal });
    return true;
  } catch (thrown) {
    signal.throwIfAborted();
    const gone = peer.closed.then(() => true);
    if (!(await Promise.race([gone, clock.sleep(100).then(() => false)]))) throw thrown;
    return false;
  }
}

/** The keeper, which is waited for where anything of Teal runs: its proxy starts it. Null: nothing runs. */
async function findKeeper(paths: StatePaths, clock: Clock, signal: AbortSignal): Promise<Keeper | null> {
  const first = await keeperOf(paths, signal);
  if (first !== null) return first;
  if (findTeal("proxy", paths.root).length === 0 && !(await serverAnswers(paths, clock, signal))) return null;
  const end = clock.monotonic() + NEW_KEEPER_MS;
  for (;;) {
    const keeper = await keeperOf(paths, signal);
    if (keeper !== null) return keeper;
    if (clock.monotonic() > end)
      throw new TealError("keeper-down", `Teal runs, but no keeper answers at ${paths.keeperSocket}`);
    await clock.sleep(100, signal);
  }
}

async function serverAnswers(paths: StatePaths, clock: Clock, signal: AbortSignal): Promise<boolean> {
  try {
    await new TealClient({ socket: paths.apiSocket }, clock).health({ signal, timeoutMs: 2_000 });
    return true;
  } catch (thrown) {
    signal.throwIfAborted();
    if (toTealError(thrown).code === "server-down") return false;
    throw thrown;
  }
}
