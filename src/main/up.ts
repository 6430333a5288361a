import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { TealError, toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { TealClient } from "../sdk/client.ts";
import { CANNOT_RUN } from "../keeper/server-process.ts";
import { readOwner } from "../store/sqlite/ownership.ts";
import { MIGRATIONS } from "../store/sqlite/schema.ts";
import { ensureStateDirectory } from "../store/state-directory.ts";
import { type KeeperLaunch, NODE_FLAGS } from "../wire/launch.ts";
import type { StatePaths } from "../wire/paths.ts";
import { isAlive } from "../wire/process-stat.ts";
import { type Keeper, keeperOf, stopKeeper } from "./keeper-client.ts";
import { withKeeperLog } from "./keeper-log.ts";
import { lastWords, serverLogSize, serverVerdict } from "./last-words.ts";
import { withKeeper } from "./present-keeper.ts";
import { installRuntime } from "./runtime.ts";
import { readRuntimeVersion } from "./runtime-version.ts";
import { processesOf, type Relation, relationOf, type RunningProcess } from "./running.ts";
import { statePathsOf } from "./state-paths.ts";
import { upgrade } from "./upgrade.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface UpOptions {
  /** teal.yaml, absolute; checked by the caller. */
  readonly config: string;
  /** Folder with the package's runtime bundles. */
  readonly bundles: string;
  /** What the processes inherit. */
  readonly env: Environment;
  readonly clock: Clock;
  /** Longest wait until the API answers. */
  readonly deadlineMs: Milliseconds;
  /** Ends the wait, and what was started. */
  readonly signal: AbortSignal;
  /** Takes a line for a person who waits. */
  readonly say: (line: string) => void;
  /** Asked when something else runs than this package has: whether it is to be upgraded in place. */
  readonly consent: (offer: UpgradeOffer) => Promise<boolean>;
  /** Goes back to this older package, where the store can be read by it. */
  readonly force: boolean;
  /** Pid of a `teal up` that starts it: waits for that one, and neither starts nor upgrades anything. */
  readonly starter?: number;
}

export interface UpgradeOffer {
  /** Version of the bundles that run, and of this package's. */
  readonly from: string;
  readonly to: string;
  readonly relation: Exclude<Relation, "same">;
}

export interface UpResult {
  /** Whether it ran before. */
  readonly already: boolean;
  /** Of the keeper. */
  readonly pid: number;
  /** Version of the bundles that the keeper runs from, and of those that this package would start. */
  readonly runtime: string;
  readonly packageRuntime: string;
  /** What ran before when this call has upgraded it in place; else null. */
  readonly upgradedFrom: string | null;
  readonly processes: readonly RunningProcess[];
  readonly listeners: readonly { readonly listen: string; readonly address: string }[];
  /** The API's socket. */
  readonly socket: string;
}

/** How often the API is asked whether it is there. */
const ASK_EVERY_MS = 50;
/** How long another keeper, which has the lock, may take until it answers. */
const OTHER_KEEPER_MS = 1_500;
/** How long a `teal up` that is waited for may take until its keeper answers; below the unit's TimeoutStartSec of 360 s. */
const STARTER_MS: Milliseconds = 120_000;
/** A server that ends by itself so many times at its start will not come up by waiting. */
const HOPELESS_RESTARTS = 3;

/**
 * Starts the keeper, which starts the rest, and returns when the API answers. Where a keeper runs already, or a `starter` is
 * given, it is left as it is, unless another version runs and `consent` is given: that is upgraded in place.
 * @throws `older-version` when what runs is newer than this package; `upgrade-failed`; `state-directory`, what the server cannot run for (`port-taken`, `config-invalid`, …), `deadline-passed` or
 *   `internal` with the last words of the logs; nothing that it started is left then
 */
export async function up(options: UpOptions): Promise<UpResult> {
  const { config, bundles, say } = options;
  const paths = statePathsOf(config);
  for (const warning of ensureStateDirectory(paths.root).warnings) say(`warning: ${warning}`);
  const packageRuntime = (await readRuntimeVersion(bundles)).version;
  const running = await (options.starter === undefined
    ? keeperOf(paths, options.signal)
    : keeperBy(options.starter, paths, options));
  if (running !== null) {
    running[Symbol.dispose]();
    const upgradedFrom = await upgradeIfWanted(packageRuntime, paths, options);
    const result = await ready(await serverLogSize(paths), paths, options);
    return { ...result, already: true, packageRuntime, upgradedFrom };
  }
  hideFromGit(paths.root);
  const launch: KeeperLaunch = {
    root: paths.root,
    runtime: await installRuntime(bundles, paths.runtime),
    config,
    inherited: [],
  };
  const logSize = await serverLogSize(paths);
  const starting = { child: start(launch, paths, options.env), again: () => start(launch, paths, options.env) };
  try {
    using keeper = await answering(starting, paths, options);
    const already = keeper.pid !== starting.child.pid;
    return { ...(await ready(logSize, paths, options)), already, packageRuntime, upgradedFrom: null };
  } catch (thrown) {
    await stopKeeper(starting.child, paths, options.clock);
    throw thrown;
  } finally {
    starting.child.unref();
  }
}

/**
 * The keeper that another `teal up` starts, which has a deadline of its own and gives up earlier than this.
 * @throws `internal` when it has ended without one, `deadline-passed` when it lives and starts none
 */
async function keeperBy(starter: number, paths: StatePaths, { clock, signal }: UpOptions): Promise<Keeper> {
  const until = clock.monotonic() + STARTER_MS;
  for (;;) {
    // Before it is looked: a starter that ends leaves what it has started.
    const isThere = isAlive(starter);
    const keeper = await keeperOf(paths, signal);
    if (keeper !== null) return keeper;
    if (!isThere) throw await failure(`process ${String(starter)} has ended and has started nothing`, paths);
    if (clock.monotonic() > until) {
      throw new TealError(
        "deadline-passed",
        `process ${String(starter)} has started no keeper of ${paths.root} within ${String(STARTER_MS / 1_000)} s`,
        { remedy: "`--wait-for` takes the pid of a `teal up` of the same teal.yaml; see what that one says." },
      );
    }
    await clock.sleep(ASK_EVERY_MS, signal);
  }
}

/** What ran before, when it was upgraded. @throws `older-version`, `upgrade-failed` */
async function upgradeIfWanted(packageRuntime: string, paths: StatePaths, options: UpOptions): Promise<string | null> {
  const { bundles, clock, signal, say, consent, force, starter } = options;
  if (starter !== undefined) return null;
  const status = await presentStatus(paths, options);
  const relation = relationOf(status, packageRuntime);
  if (relation === "same") return null;
  // In the middle of an upgrade by somebody else the keeper is still of the version before.
  const other = processesOf(status).find(({ draining, runtime }) => !draining && runtime !== packageRuntime);
  const from = other?.runtime ?? basename(status.runtime);
  if (relation === "older") await refuseOlder(from, packageRuntime, force, paths);
  if (!(await consent({ from, to: packageRuntime, relation }))) return null;
  await comeUp(paths, options);
  const runtime = await installRuntime(bundles, paths.runtime);
  say(`Upgrading Teal from ${from} to ${packageRuntime}; traffic, apps and deployments go on.`);
  await upgrade({ paths, runtime, clock, signal, say });
  return from;
}

/** What is just being started is waited for; what cannot come up may be cured by the upgrade. */
async function comeUp(paths: StatePaths, options: UpOptions): Promise<void> {
  try {
    await ready(await serverLogSize(paths), paths, options);
  } catch (thrown) {
    options.signal.throwIfAborted();
    if (toTealError(thrown).code === "keeper-down") throw thrown;
    options.say(`warning: ${toTealError(thrown).message}`);
  }
}

async function refuseOlder(from: string, to: string, force: boolean, paths: StatePaths): Promise<void> {
  if (!force) throw new TealError("older-version", `Teal runs ${from} here, and this is the older ${to}`);
  // Here alone, as Node 24 prints a warning when its SQLite is first used.
  const { storeSchema } = await import("../store/sqlite/store-schema.ts");
  const written = storeSchema(paths.database);
  if (written <= MIGRATIONS.length) return;
  throw new TealError(
    "older-version",
    `the store has schema ${String(written)}, and this older ${to} knows up to ${String(MIGRATIONS.length)}`,
    {
      remedy:
        "Use the version of Teal that runs, or a newer one; only a backup of the store brings the older one back.",
    },
  );
}

/** The state directory belongs to no repository. */
function hideFromGit(root: string): void {
  writeFileSync(join(root, ".gitignore"), "*\n");
}

/** In a session of its own, so that no terminal's Ctrl-C or end reaches it. */
function start(launch: KeeperLaunch, paths: StatePaths, env: Environment): ChildProcess {
  return withKeeperLog(paths, (log) =>
    spawn(process.execPath, [...NODE_FLAGS, join(launch.runtime, "keeper.mjs"), JSON.stringify(launch)], {
      cwd: dirname(launch.config),
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...env },
    }),
  );
}

/** A keeper that was started here, which may have to be started again. */
interface Starting {
  child: ChildProcess;
  readonly again: () => ChildProcess;
}

/**
 * The keeper that answers: ours, or another one that was started at the same time and took the lock first. Where the one that
 * had the lock was just going down, ours is started again.
 */
async function answering(starting: Starting, paths: StatePaths, options: UpOptions): Promise<Keeper> {
  const { clock, signal } = options;
  let lockedAt = clock.monotonic();
  let mayBeAgain = true;
  return poll(options, "the keeper", paths, async () => {
    const found = await keeperOf(paths, signal);
    const { child } = starting;
    const isOurs = !hasEnded(child);
    if (found !== null) return found;
    if (isOurs || readOwner(paths.keeperLock) !== null) lockedAt = clock.monotonic();
    if (clock.monotonic() - lockedAt <= OTHER_KEEPER_MS) return null;
    if (child.exitCode !== CANNOT_RUN || !mayBeAgain) throw await failure("the keeper ended at its start", paths);
    mayBeAgain = false;
    lockedAt = clock.monotonic();
    child.unref();
    starting.child = starting.again();
    return null;
  });
}

/**
 * When the API answers.
 * @param logSize where the log of this start of the server begins
 * @throws `keeper-down` when somebody takes Teal down meanwhile
 */
async function ready(
  logSize: number,
  paths: StatePaths,
  options: UpOptions,
): Promise<Omit<UpResult, "already" | "packageRuntime" | "upgradedFrom">> {
  const client = new TealClient({ socket: paths.apiSocket }, options.clock);
  const before = (await presentStatus(paths, options)).server.restarts;
  await poll(options, "the API", paths, async () => {
    if (await answers(client, options.signal)) return true;
    const { server } = await presentStatus(paths, options);
    if (server.cannotRun || server.restarts - before >= HOPELESS_RESTARTS) {
      throw (await serverVerdict(paths, logSize)) ?? (await failure("the server keeps ending at its start", paths));
    }
    return null;
  });
  const status = await presentStatus(paths, options);
  const { pid, runtime, listeners } = status;
  return { pid, runtime: basename(runtime), processes: processesOf(status), listeners, socket: paths.apiSocket };
}

/** Of the keeper of the moment: one that dies while it is waited for is followed by another. */
function presentStatus(paths: StatePaths, { clock, signal }: UpOptions): ReturnType<Keeper["status"]> {
  return withKeeper({ paths, clock, signal }, (keeper) => keeper.status());
}

async function answers(client: TealClient, signal: AbortSignal): Promise<boolean> {
  try {
    await client.health({ signal, timeoutMs: 2_000 });
    return true;
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof TealError) return false;
    throw thrown;
  }
}

/** Asks again and again until there is an answer. @throws `deadline-passed` with the logs' last words */
async function poll<T>(options: UpOptions, what: string, paths: StatePaths, ask: () => Promise<T | null>): Promise<T> {
  const { clock, deadlineMs, signal } = options;
  const until = clock.monotonic() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (clock.monotonic() > until) {
      throw new TealError(
        "deadline-passed",
        `${what} did not answer within ${String(deadlineMs / 1_000)} s${await lastWords(paths)}`,
        {
          remedy: `See the logs in ${paths.logs}.`,
        },
      );
    }
    await clock.sleep(ASK_EVERY_MS, signal);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function failure(what: string, paths: StatePaths): Promise<TealError> {
  return new TealError("internal", `${what}${await lastWords(paths)}`, { remedy: `See the logs in ${paths.logs}.` });
}
