import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { connectPeer } from "../wire/connect.ts";
import { KEEPER_PROTOCOL } from "../wire/keeper.ts";
import { type KeeperLaunch, NODE_FLAGS, type ProxyLaunch } from "../wire/launch.ts";
import { StatePaths } from "../wire/paths.ts";

const FIRST_PAUSE_MS: Milliseconds = 200;
const LONGEST_PAUSE_MS: Milliseconds = 30_000;

export interface KeeperWatchOptions {
  readonly launch: ProxyLaunch;
  /** The keeper's program, absolute. */
  readonly program: string;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/**
 * Holds a connection to the keeper, and starts a new one when its process has ended: the new keeper gets the listening
 * sockets from this process's spare descriptors. `down` drains the proxy first, and a draining proxy does not watch.
 */
export class KeeperWatch {
  readonly #options: KeeperWatchOptions;
  #keeper: number | null = null;

  constructor(options: KeeperWatchOptions) {
    this.#options = options;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const wasUp = await this.#follow(signal);
      if (wasUp) pauseMs = FIRST_PAUSE_MS;
      if (signal.aborted) return;
      if (this.#keeper !== null && !isAlive(this.#keeper)) {
        log(`the keeper (process ${String(this.#keeper)}) has ended; starting a new one`);
        this.#keeper = this.#start();
      }
      await clock.sleep(pauseMs, signal).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Returns when the connection has ended, or could not be made; true when there was one. */
  async #follow(signal: AbortSignal): Promise<boolean> {
    const { launch, log } = this.#options;
    try {
      const path = new StatePaths(launch.root).keeperSocket;
      const peer = await connectPeer(path, KEEPER_PROTOCOL, { down: "keeper-down", signal });
      const end = (): void => {
        peer.close();
      };
      signal.addEventListener("abort", end, { once: true });
      const { pid } = await peer.call("status", {}, { signal });
      this.#keeper = pid;
      await peer.closed;
      signal.removeEventListener("abort", end);
      return true;
    } catch (thrown) {
      const error = toTealError(thrown);
      if (!signal.aborted && error.code !== "keeper-down") log(`the keeper does not answer: ${error.message}`);
      return false;
    }
  }

  #start(): number | null {
    const { launch, program, log } = this.#options;
    const FIRST_FD = 3;
    const inherited = launch.listeners.map(({ listen, address }, position) => ({
      listen,
      address,
      fd: FIRST_FD + position,
    }));
    const { root, runtime, config, settings } = launch;
    const keeper: KeeperLaunch = { root, runtime, config, inherited, settings };
    const spares = launch.listeners.map(({ spare }) => spare);
    // Its own log is its own; what it says before it has one goes where this process's words go.
    const child = spawn(process.execPath, [...NODE_FLAGS, program, JSON.stringify(keeper)], {
      detached: true,
      stdio: ["ignore", "inherit", "inherit", ...spares],
    });
    child.on("error", (error) => {
      log(`no keeper could be started: ${error.message}`);
    });
    child.unref();
    return child.pid ?? null;
  }
}

/** A zombie, whose parent has not taken note yet, is dead. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "latin1");
    return !stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
    // Without /proc, the signal's answer stands.
    return code === "EPERM" || (code === "ENOENT" && process.platform !== "linux");
  }
}
