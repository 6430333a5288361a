import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { TealError, toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { connectPeer } from "../wire/connect.ts";
import { KEEPER_PINGS, KEEPER_PROTOCOL, type KeeperProtocol } from "../wire/keeper.ts";
import { type KeeperLaunch, NODE_FLAGS, type ProxyLaunch } from "../wire/launch.ts";
import { ownNode, runnableNode } from "../wire/node-binary.ts";
import { StatePaths } from "../wire/paths.ts";
import type { Peer } from "../wire/peer.ts";
import { isAlive, readStat } from "../wire/process-stat.ts";
import { stateWords, watchHeartbeat } from "../wire/watch-heartbeat.ts";

const FIRST_PAUSE_MS: Milliseconds = 200;
const LONGEST_PAUSE_MS: Milliseconds = 30_000;
/** A keeper that was started here and has not answered for so long is ended when there is another program to try. */
const ANSWER_MS: Milliseconds = 20_000;
/**
 * Looks without an answer, about a second each, until a keeper is said to hang. Twice as many as it gives a server: nothing of
 * the traffic waits for a keeper.
 */
const HUNG_LOOKS = 20;

/** What a keeper is started from: the folder of its bundles, its file in there, the Node binary. */
interface KeeperProgram {
  readonly runtime: string;
  readonly file: string;
  readonly node: string;
}

/** A keeper that was started here. */
interface Started {
  readonly pid: number;
  /** Monotonic. */
  readonly since: Milliseconds;
  /** What ended it, once it has ended; null: it ended by itself. */
  readonly signal: Promise<NodeJS.Signals | null>;
}

export interface KeeperWatchOptions {
  readonly launch: ProxyLaunch;
  /** The keeper's program, absolute. */
  readonly program: string;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/**
 * Holds a connection to the keeper, and starts a new one when its process has ended, or hangs and was ended here: the new
 * keeper gets the listening sockets from this process's spare descriptors. `down` drains the proxy first, and a draining proxy does not watch.
 * After an upgrade it goes back to the program from before, when a keeper from its own never answers.
 */
export class KeeperWatch {
  readonly #options: KeeperWatchOptions;
  #keeper: number | null = null;
  /** Started here, and has not answered yet. */
  #untried: Started | null = null;
  /** Starts of keepers in a row that never answered, though nobody killed them. */
  #vain = 0;
  /** The keeper that was ended last as it hung. */
  #hung: number | null = null;

  constructor(options: KeeperWatchOptions) {
    this.#options = options;
    this.#keeper = options.launch.keeper ?? null;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const wasUp = await this.#follow(signal);
      if (wasUp) pauseMs = FIRST_PAUSE_MS;
      if (signal.aborted) return;
      this.#endSilent();
      if (this.#keeper !== null && !isAlive(this.#keeper)) {
        log(`the keeper (process ${String(this.#keeper)}) has ended; starting a new one`);
        // SIGKILL comes from a person or the kernel, and says nothing of the program.
        if (this.#untried?.pid === this.#keeper && (await this.#untried.signal) !== "SIGKILL") this.#vain += 1;
        this.#untried = this.#start();
        this.#keeper = this.#untried?.pid ?? null;
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
      const peer = await connectPeer(path, KEEPER_PROTOCOL, {
        down: "keeper-down",
        signal,
        prepare: (made) => made.onCall("ping", () => ({})),
      });
      const end = (): void => {
        peer.close();
      };
      signal.addEventListener("abort", end, { once: true });
      const { pid } = await peer.call("status", {}, { signal });
      this.#keeper = pid;
      this.#untried = null;
      this.#vain = 0;
      if (peer.version >= KEEPER_PINGS) {
        await peer.call("present", { pid: process.pid }, { signal });
        void this.#endWhenHung(peer, pid, signal).catch((thrown: unknown) => {
          log(`the keeper (process ${String(pid)}) is not watched any more: ${toTealError(thrown).message}`);
        });
      }
      await peer.closed;
      signal.removeEventListener("abort", end);
      return true;
    } catch (thrown) {
      const error = toTealError(thrown);
      if (!signal.aborted && error.code !== "keeper-down") log(`the keeper does not answer: ${error.message}`);
      return false;
    }
  }

  /**
   * SIGKILL: a stopped or busy process never gets to heed another signal, and the next keeper takes over from one that was
   * killed at any moment. A process that stands still itself counts none of that time, and ends nobody for it.
   */
  async #endWhenHung(peer: Peer<KeeperProtocol>, pid: number, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const process = readStat(pid);
    // Without /proc nobody could tell it from another process with its id.
    if (process === null) return;
    const over = new AbortController();
    void peer.closed.then(() => over.abort(new TealError("aborted", "the connection to the keeper has ended")));
    await watchHeartbeat({
      process,
      peer: () => peer,
      hungLooks: HUNG_LOOKS,
      neverCameLooks: HUNG_LOOKS,
      clock,
      signal: AbortSignal.any([signal, over.signal]),
      onHung: ({ silentSeconds, stat }) => {
        if (this.#hung === pid) return;
        this.#hung = pid;
        const silence = `the keeper (process ${String(pid)}) has not answered for ${String(silentSeconds)} s`;
        log(`${silence}: ${stateWords(stat.state)}; it is ended with SIGKILL, so that another takes its place`);
        endProcess(pid, log);
      },
    });
  }

  /** One that hangs would keep the one from before from being tried. */
  #endSilent(): void {
    const { clock, log } = this.#options;
    if (this.#untried === null || this.#programs().length < 2) return;
    const { pid, since } = this.#untried;
    if (clock.monotonic() - since < ANSWER_MS || !isAlive(pid)) return;
    log(`the keeper (process ${String(pid)}) has not answered for ${String(ANSWER_MS / 1_000)} s, and is ended`);
    this.#vain += 1;
    endProcess(pid, log);
  }

  /** Its own first, then the one from before an upgrade while that is there. */
  #programs(): readonly KeeperProgram[] {
    const { launch, program } = this.#options;
    const own = { runtime: launch.runtime, file: program, node: ownNode() };
    const { previous } = launch;
    if (previous === undefined) return [own];
    const file = join(previous.runtime, `keeper${extname(program)}`);
    return existsSync(file) ? [own, { ...previous, file }] : [own];
  }

  #start(): Started | null {
    const { launch, clock, log } = this.#options;
    const programs = this.#programs();
    const program = programs[this.#vain % programs.length];
    if (program === undefined) return null;
    if (this.#vain > 0) log(`the last keeper never answered; starting one from ${program.runtime}`);
    const FIRST_FD = 3;
    const inherited = launch.listeners.map(({ listen, address }, position) => ({
      listen,
      address,
      fd: FIRST_FD + position,
    }));
    const { root, config, settings } = launch;
    const afterHung = this.#hung === null || this.#hung !== this.#keeper ? {} : { afterHung: this.#hung };
    const keeper: KeeperLaunch = { root, runtime: program.runtime, config, inherited, settings, ...afterHung };
    const spares = launch.listeners.map(({ spare }) => spare);
    // Its own log is its own; what it says before it has one goes where this process's words go.
    const child = spawn(runnableNode(program.node, log), [...NODE_FLAGS, program.file, JSON.stringify(keeper)], {
      detached: true,
      stdio: ["ignore", "inherit", "inherit", ...spares],
    });
    const signal = new Promise<NodeJS.Signals | null>((resolve) => {
      child.once("exit", (_code, by) => {
        resolve(by);
      });
    });
    child.on("error", (error) => {
      log(`no keeper could be started: ${error.message}`);
    });
    child.unref();
    return child.pid === undefined ? null : { pid: child.pid, since: clock.monotonic(), signal };
  }
}

/** Another may have ended it in the same moment. One that may not be ended, as another user's, is no reason to end traffic. */
function endProcess(pid: number, log: (message: string) => void): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH") return;
    log(`the keeper (process ${String(pid)}) cannot be ended: ${toTealError(thrown).message}`);
  }
}
