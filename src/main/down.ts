import { TealError, toTealError } from "../model/error.ts";
import { findTeal, orphansBelow } from "../keeper/orphans.ts";
import { isToGoOn } from "../keeper/record.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { TealClient } from "../sdk/client.ts";
import type { StatePaths } from "../wire/paths.ts";
import { isAlive } from "../wire/process-stat.ts";
import { type Keeper, keeperOf, until } from "./keeper-client.ts";
import { allDrain, endProxies } from "./left-proxies.ts";
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

const ASK_EVERY_MS: Milliseconds = 100;
/** For what drain and stop do not cover. */
const MARGIN_MS = 30_000;
/** A proxy, or a server, that has lost its keeper starts a new one within this time; one that hangs ends only after about 20 s. */
const NEW_KEEPER_MS: Milliseconds = 40_000;

/**
 * Drains, stops the apps, and ends Teal; returns when the keeper has ended. Needs the keeper alone: the server may be dead.
 * Where the keeper was killed in the middle of it, what still drains is ended here.
 * @throws `keeper-down` when something of Teal runs without a keeper, `deadline-passed`
 */
export async function down(options: DownOptions): Promise<DownResult> {
  const { config, drainMs, stopMs, clock, signal, say } = options;
  const paths = statePathsOf(config);
  const first = await findKeeper(paths, clock, signal);
  if (first === null) {
    const stopped = await endLeftProxies(paths, options);
    if (stopped) refuseLeftApps(paths);
    return { stopped };
  }
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
    if (isAnswered) return { stopped: true };
  }
  await endLeftProxies(paths, options);
  refuseLeftApps(paths);
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

/**
 * The keeper, which is waited for where there is one that does not answer, or a proxy or a server that starts one.
 * Null: nothing runs, or nothing but proxies that drain, which start none.
 * @throws `keeper-down` at once where nobody will start one
 */
async function findKeeper(paths: StatePaths, clock: Clock, signal: AbortSignal): Promise<Keeper | null> {
  const end = clock.monotonic() + NEW_KEEPER_MS;
  for (;;) {
    const keeper = await answering(paths, signal);
    if (keeper !== null) return keeper;
    // The proxies first: one that starts a keeper and ends between the two looks has left that keeper to the second.
    const proxies = findTeal("proxy", paths.root);
    const servers = findTeal("server", paths.root);
    const isThere = findTeal("keeper", paths.root).length > 0;
    if (!isThere && (await allDrain(proxies, paths, signal))) {
      const isAwaited = servers.length > 0 && (await isToGoOn(paths.keeperRecord));
      if (!isAwaited && proxies.length === 0 && servers.length > 0) throw nobodyStops("a server");
      if (!isAwaited) return null;
      if (clock.monotonic() > end) throw nobodyStops("a server");
    }
    if (clock.monotonic() > end)
      throw new TealError("keeper-down", `Teal runs, but no keeper answers at ${paths.keeperSocket}`);
    await clock.sleep(ASK_EVERY_MS, signal);
  }
}

/** One that hangs is as none: its proxy puts another in its place. */
async function answering(paths: StatePaths, signal: AbortSignal): Promise<Keeper | null> {
  try {
    return await keeperOf(paths, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    if (toTealError(thrown).code === "deadline-passed") return null;
    throw thrown;
  }
}

/** What drains without a keeper has the drain of this call, then it is ended. Whether there was any. @throws `keeper-down` when a server is left */
async function endLeftProxies(paths: StatePaths, options: DownOptions): Promise<boolean> {
  const { drainMs, clock, signal, say } = options;
  const proxies = findTeal("proxy", paths.root);
  // One that serves has just been started by somebody else.
  if (proxies.length === 0 || !(await allDrain(proxies, paths, signal))) return false;
  const pids = proxies.map(({ pid }) => String(pid)).join(", ");
  say(`The keeper is gone, and the proxy (process ${pids}) drains; it is ended within ${String(drainMs / 1_000)} s …`);
  await endProxies(proxies, drainMs, clock, signal);
  if (await serverAnswers(paths, clock, signal)) throw nobodyStops("a server");
  return true;
}

function refuseLeftApps({ run }: StatePaths): void {
  const apps = orphansBelow(run, new Set());
  if (apps.length > 0) throw nobodyStops(apps.map(({ instance }) => instance).join(", "));
}

function nobodyStops(what: string): TealError {
  return new TealError("keeper-down", `${what} runs without a keeper, and nothing is left that starts one`, {
    remedy: "`teal up --detach` starts one that takes it over; then `teal down` again.",
  });
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
