import { TealError, toTealError } from "../model/error.ts";
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
  const found = await findKeeper(statePathsOf(config), clock, signal);
  if (found === null) return { stopped: false };
  using keeper = found;
  const longestMs = drainMs + stopMs + MARGIN_MS;
  say(`Draining for at most ${String(Math.round(drainMs / 1_000))} s, then stopping …`);
  await askDown(keeper, longestMs, options);
  if (await until(() => !isAlive(keeper.pid), longestMs, clock, signal)) return { stopped: true };
  throw new TealError(
    "deadline-passed",
    `the keeper (process ${String(keeper.pid)}) has not ended within ${String(longestMs / 1_000)} s`,
    {
      remedy: "It goes on stopping by itself; see .teal/logs/keeper.log.",
    },
  );
}

/** The call's answer and the end of the connection both say that it is on its way. */
async function askDown(
  { peer }: Keeper,
  longestMs: Milliseconds,
  { drainMs, clock, signal }: DownOptions,
): Promise<void> {
  try {
    await peer.call("down", { drainMs }, { timeoutMs: longestMs, signal });
  } catch (thrown) {
    signal.throwIfAborted();
    const gone = peer.closed.then(() => true);
    if (!(await Promise.race([gone, clock.sleep(100).then(() => false)]))) throw thrown;
  }
}

async function findKeeper(paths: StatePaths, clock: Clock, signal: AbortSignal): Promise<Keeper | null> {
  const first = await keeperOf(paths, signal);
  if (first !== null || !(await serverAnswers(paths, clock, signal))) return first;
  const end = clock.monotonic() + NEW_KEEPER_MS;
  for (;;) {
    const keeper = await keeperOf(paths, signal);
    if (keeper !== null) return keeper;
    if (clock.monotonic() > end)
      throw new TealError("keeper-down", `the server answers, but no keeper at ${paths.keeperSocket}`);
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
