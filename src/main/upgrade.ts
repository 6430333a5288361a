import { basename } from "node:path";
import { TealError, toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { KEEPER_REPLACES } from "../wire/keeper.ts";
import type { Program } from "../wire/launch.ts";
import { ownNode } from "../wire/node-binary.ts";
import type { StatePaths } from "../wire/paths.ts";
import { nothingRuns, unlessGone, withKeeper } from "./present-keeper.ts";
import { serverLogSize, serverVerdict } from "./last-words.ts";
import { processesOf } from "./running.ts";

export interface UpgradeOptions {
  readonly paths: StatePaths;
  /** Folder of the new bundles, in the state directory. */
  readonly runtime: string;
  readonly clock: Clock;
  /** Ends the wait between two steps; what the keeper has begun it brings to its end. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** In place of a version: a part that is not there has none to be compared, and that must not look like any that is. */
const NONE = "none";

type Part = "proxy" | "server" | "keeper";

/** The traffic first, so that a version that cannot carry it changes nothing else; the keeper last, as it does the rest. */
const PARTS: readonly Part[] = ["proxy", "server", "keeper"];
/** The keeper's own limits are shorter. */
const REPLACE_MS: Milliseconds = 120_000;
/** A new keeper that hangs is given up by the proxy after 20 s, and the old one is started again. */
const NEW_KEEPER_MS: Milliseconds = 60_000;
const ASK_EVERY_MS: Milliseconds = 50;

/**
 * Replaces what runs by the bundles in `runtime`, one process after the other, while traffic, apps and deployments go on.
 * The same again goes on where an interrupted one stopped. When a part does not come up, those before it go back too.
 * @throws `upgrade-failed`, with what runs then; `keeper-down` when Teal is taken down meanwhile; the signal's reason
 */
export async function upgrade(options: UpgradeOptions): Promise<void> {
  const { paths, runtime, signal, say } = options;
  const wanted: Program = { runtime, node: ownNode() };
  const before = await withKeeper(options, async (keeper) => {
    const status = await keeper.status();
    if (keeper.peer.version < KEEPER_REPLACES) {
      throw new TealError("upgrade-failed", `the keeper of ${basename(status.runtime)} cannot be replaced in place`, {
        remedy: "`teal down` and `teal up` bring the new version; the apps stop meanwhile.",
      });
    }
    return { runtime: status.runtime, node: status.node ?? ownNode() };
  });
  const logSize = await serverLogSize(paths);
  const done: Part[] = [];
  for (const part of PARTS) {
    try {
      signal.throwIfAborted();
      await replace(part, wanted, options);
      say(`  ✓ ${part}: ${(await runningAs(part, options)).words}`);
      done.push(part);
    } catch (thrown) {
      signal.throwIfAborted();
      if (nothingRuns(paths)) throw thrown;
      say(`  ✗ ${part}: ${toTealError(thrown).message}`);
      const verdict = part === "server" ? await serverVerdict(paths, logSize) : null;
      const outcome = await goBack(done, before, options);
      const why =
        verdict === null ? toTealError(thrown).message : `${toTealError(thrown).message} (${verdict.message})`;
      throw new TealError("upgrade-failed", `${why}${outcome}`, { cause: thrown });
    }
  }
}

async function replace(part: Part, program: Program, options: UpgradeOptions): Promise<void> {
  const { paths, signal } = options;
  const pid = await withKeeper(options, async (keeper) => {
    const asked = keeper.peer.call(`${part}.replace`, program, { timeoutMs: REPLACE_MS, signal });
    // A keeper that leaves may be gone before its answer is here.
    await (part === "keeper" ? asked.catch(unlessGone) : asked);
    return keeper.pid;
  });
  if (part === "keeper") await untilKeeper(pid, program, options);
  const { runtime } = await runningAs(part, options);
  // Without an address there is no proxy; the first one will run from the program.
  if (runtime === basename(program.runtime) || (part === "proxy" && runtime === NONE)) return;
  throw new TealError("upgrade-failed", `the ${part} runs from ${runtime}, as ${paths.runtime} lacks what was wanted`);
}

/** Until another keeper than `before` answers, or this one turns out to run from the program already. */
async function untilKeeper(before: number, program: Program, options: UpgradeOptions): Promise<void> {
  const { clock, signal } = options;
  const until = clock.monotonic() + NEW_KEEPER_MS;
  for (;;) {
    const { pid, runtime, node } = await withKeeper(options, (keeper) => keeper.status());
    const isWanted = runtime === program.runtime;
    if (isWanted && (pid !== before || node === program.node)) return;
    if (pid !== before) {
      const names = [program.runtime, runtime].map((folder) => basename(folder));
      throw new TealError(
        "upgrade-failed",
        `the keeper of ${String(names[0])} did not come up; that of ${String(names[1])} goes on`,
      );
    }
    if (clock.monotonic() > until) throw new TealError("upgrade-failed", "the keeper did not leave; it goes on");
    await clock.sleep(ASK_EVERY_MS, signal);
  }
}

/** Newest first. In words, what came of it. */
async function goBack(done: readonly Part[], before: Program, options: UpgradeOptions): Promise<string> {
  const { say } = options;
  try {
    for (const part of done.toReversed()) {
      await replace(part, before, options);
      say(`  ✓ ${part}: back to ${basename(before.runtime)}`);
    }
    return done.length === 0 ? "" : `; ${done.join(" and ")} went back to ${basename(before.runtime)}`;
  } catch (thrown) {
    return `; going back failed as well: ${toTealError(thrown).message}`;
  }
}

/** What one part runs as now, and in words. */
async function runningAs(part: Part, options: UpgradeOptions): Promise<{ runtime: string; words: string }> {
  const status = await withKeeper(options, (keeper) => keeper.status());
  const mine = processesOf(status).filter(({ process }) => process === part);
  const serving = mine.findLast(({ draining }) => !draining);
  const drains = mine.filter(({ draining }) => draining).map(({ pid }) => String(pid));
  const rest = drains.length === 0 ? "" : `; ${drains.join(", ")} serves what it still has`;
  if (serving === undefined) return { runtime: NONE, words: "none runs yet" };
  const runtime = serving.runtime ?? NONE;
  return { runtime, words: `${runtime}, process ${String(serving.pid)}${rest}` };
}
