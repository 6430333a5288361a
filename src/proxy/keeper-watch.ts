import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { connectPeer } from "../wire/connect.ts";
import { KEEPER_PINGS, KEEPER_PROTOCOL } from "../wire/keeper.ts";
import { endWhenHung } from "../wire/hung-keeper.ts";
import { type KeeperProgram, KeeperStarter } from "../wire/keeper-starter.ts";
import type { ProxyLaunch } from "../wire/launch.ts";
import { ownNode } from "../wire/node-binary.ts";
import { StatePaths } from "../wire/paths.ts";
import { isAlive } from "../wire/process-stat.ts";

const FIRST_PAUSE_MS: Milliseconds = 200;
const LONGEST_PAUSE_MS: Milliseconds = 30_000;
/**
 * Looks without an answer, about a second each, until a keeper is said to hang. Twice as many as it gives a server: nothing of
 * the traffic waits for a keeper.
 */
const HUNG_LOOKS = 20;

/** Of the first spare in a keeper that is started: 0-2 are its standard ones. */
const FIRST_FD = 3;

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
 * After an upgrade it goes back to the program from before, when a keeper from its own does not come up.
 */
export class KeeperWatch {
  readonly #options: KeeperWatchOptions;
  readonly #starter: KeeperStarter;
  #keeper: number | null = null;
  /** The keeper that was ended last as it hung. */
  #hung: number | null = null;

  constructor(options: KeeperWatchOptions) {
    this.#options = options;
    this.#keeper = options.launch.keeper ?? null;
    const { launch, clock, log } = options;
    const { root, config, settings, listeners } = launch;
    const inherited = listeners.map(({ listen, address }, position) => ({
      listen,
      address,
      fd: FIRST_FD + position,
    }));
    const spares = listeners.map(({ spare }) => spare);
    this.#starter = new KeeperStarter({
      launch: () => ({ root, config, settings, inherited }),
      programs: () => this.#programs(),
      // Its own log is its own; what it says before it has one goes where this process's words go.
      spawning: (spawn) => spawn({ stdio: ["ignore", "inherit", "inherit", ...spares] }),
      clock,
      log,
    });
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const wasUp = await this.#follow(signal);
      if (wasUp) pauseMs = FIRST_PAUSE_MS;
      if (signal.aborted) return;
      this.#starter.endSilent();
      if (this.#keeper !== null && !isAlive(this.#keeper)) {
        const hung = this.#hung === this.#keeper;
        await this.#starter.ended(this.#keeper, hung);
        // A proxy that has begun to drain meanwhile has let go of its sockets, and is not to start one.
        if (signal.aborted) return;
        log(`the keeper (process ${String(this.#keeper)}) has ended; starting a new one`);
        // Where none could be started, the dead one's place is still free.
        this.#keeper = this.#starter.start(hung ? this.#keeper : null) ?? this.#keeper;
      }
      await clock.sleep(pauseMs, signal).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Returns when the connection has ended, or could not be made; true when there was one. */
  async #follow(signal: AbortSignal): Promise<boolean> {
    const { launch, clock, log } = this.#options;
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
      this.#starter.answered(pid);
      if (peer.version >= KEEPER_PINGS) {
        await peer.call("present", { pid: process.pid }, { signal });
        const onHung = (): void => {
          this.#hung = pid;
        };
        void endWhenHung({ peer, pid, looks: HUNG_LOOKS, clock, log, onHung }).catch((thrown: unknown) => {
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

  /** Its own first, then the one from before an upgrade while that is there. */
  #programs(): readonly [KeeperProgram, ...KeeperProgram[]] {
    const { launch, program } = this.#options;
    const own = { runtime: launch.runtime, file: program, node: ownNode() };
    const { previous } = launch;
    if (previous === undefined) return [own];
    const file = join(previous.runtime, `keeper${extname(program)}`);
    return existsSync(file) ? [own, { ...previous, file }] : [own];
  }
}
