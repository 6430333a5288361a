import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { Acquaintances } from "../keeper/acquaintances.ts";
import { Keeper } from "../keeper/keeper.ts";
import { RotatingLog } from "../keeper/rotating-log.ts";
import { CANNOT_RUN } from "../keeper/server-process.ts";
import { toTealError } from "../model/error.ts";
import { acquireOwnership } from "../store/sqlite/ownership.ts";
import { keeperLaunch, parseLaunch } from "../wire/launch.ts";
import { StatePaths } from "../wire/paths.ts";
import { systemClock } from "./clock.ts";

/** In flight requests have so long when the keeper is ended by a signal; `teal down` says its own time. */
const SIGNAL_DRAIN_MS = 5_000;

/**
 * The keeper's process: `node keeper.mjs '<KeeperLaunch>'`, started in a session of its own. SIGTERM and SIGINT take
 * everything down, as `teal down` does. Exit codes: 0 after that, 78 when it cannot run here, 1 when it failed.
 */
async function main(): Promise<void> {
  const launch = parseLaunch(keeperLaunch, process.argv);
  const paths = new StatePaths(launch.root);
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  const file = new RotatingLog(join(paths.logs, "keeper.log"), systemClock);
  const log = (text: string): void => file.write(`[${String(process.pid)}] ${text}`);
  const leave = async (code: number): Promise<never> => {
    await file.close();
    process.exit(code);
  };
  const die = (thrown: unknown): void => {
    log(`the keeper failed: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
    void leave(1);
  };
  process.on("uncaughtException", die);
  process.on("unhandledRejection", die);
  // The terminal that it was started from is none of its business.
  process.on("SIGHUP", () => undefined);
  try {
    const owner = { pid: process.pid, host: hostname(), since: systemClock.now(), role: "keeper" };
    using _lock = acquireOwnership(paths.keeperLock, owner);
    const keeper = await Keeper.start({
      launch,
      paths,
      clock: systemClock,
      random: Math.random,
      log,
      acquaintances: new Acquaintances(),
    });
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => void keeper.down(SIGNAL_DRAIN_MS).catch(die));
    }
    log(`the keeper runs with ${launch.runtime}`);
    await keeper.ended;
  } catch (thrown) {
    const error = toTealError(thrown);
    log(`the keeper cannot run: ${error.message}`);
    process.stderr.write(`teal keeper: ${error.message}\n${error.remedy}\n`);
    return leave(CANNOT_RUN);
  }
  await leave(0);
}

await main();
