import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { type KeeperLaunch, NODE_FLAGS, type Program } from "./launch.ts";
import { runnableNode } from "./node-binary.ts";
import { isAlive } from "./process-stat.ts";

/** A keeper that was started here and has not answered for so long is ended when there is another program to try. */
const ANSWER_MS: Milliseconds = 20_000;
/** One that hangs so soon after its start has not come up either. */
const SOON_MS: Milliseconds = 60_000;

/** What a keeper is started from; `file`: its bundle in the runtime, absolute. */
export interface KeeperProgram extends Program {
  readonly file: string;
}

/** A keeper that was started here. */
interface Started {
  readonly pid: number;
  /** Monotonic. */
  readonly since: Milliseconds;
  /** What ended it, once it has ended; null: it ended by itself. */
  readonly signal: Promise<NodeJS.Signals | null>;
  hasAnswered: boolean;
  /** It was ended here, as it never answered; one that the kernel holds lives on for a while. */
  isEnded: boolean;
}

export interface KeeperStarterOptions {
  /** All that a keeper is launched with but its program. Asked at each start, as the rest. */
  readonly launch: () => Omit<KeeperLaunch, "runtime" | "afterHung">;
  /** The first is tried first. */
  readonly programs: () => readonly [KeeperProgram, ...KeeperProgram[]];
  /** Calls `spawn` with what the child has beside a session of its own: its words go to `stdio` until it has a log. */
  readonly spawning: <T>(spawn: (options: Pick<SpawnOptions, "stdio" | "env">) => T) => T;
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/**
 * Starts a keeper where the one before has died, and sees whether it comes up; when it does not, the next one is started from
 * the next program. Two that start one at the same time do no harm: the second finds the lock taken, and ends.
 */
export class KeeperStarter {
  readonly #options: KeeperStarterOptions;
  #started: Started | null = null;
  /** Starts in a row of keepers that did not come up, though nobody killed them. */
  #vain = 0;

  constructor(options: KeeperStarterOptions) {
    this.#options = options;
  }

  /** Starts in a row that came to nothing. */
  get vain(): number {
    return this.#vain;
  }

  /**
   * @returns its pid; null: it could not be started, which the log says
   * @throws what `launch` throws
   */
  start(afterHung: number | null = null): number | null {
    const { launch, programs, spawning, clock, log } = this.#options;
    const all = programs();
    const { runtime, node, file } = all[this.#vain % all.length] ?? all[0];
    if (this.#vain > 0) log(`the last keeper did not come up; starting one from ${runtime}`);
    const keeper: KeeperLaunch = { ...launch(), runtime, ...(afterHung === null ? {} : { afterHung }) };
    const args = [...NODE_FLAGS, file, JSON.stringify(keeper)];
    const child = this.#spawned(() =>
      spawning((options) => spawn(runnableNode(node, log), args, { ...options, detached: true })),
    );
    if (child === null) return null;
    const signal = new Promise<NodeJS.Signals | null>((resolve) => {
      child.once("exit", (_code, by) => {
        resolve(by);
      });
    });
    child.on("error", (error) => {
      log(`no keeper could be started: ${error.message}`);
    });
    child.unref();
    const { pid } = child;
    this.#started =
      pid === undefined ? null : { pid, since: clock.monotonic(), signal, hasAnswered: false, isEnded: false };
    return pid ?? null;
  }

  /** Most failures come as an event of the child, some are thrown (Node: ENOMEM). */
  #spawned(start: () => ChildProcess): ChildProcess | null {
    try {
      return start();
    } catch (thrown) {
      this.#options.log(`no keeper could be started: ${toTealError(thrown).message}`);
      return null;
    }
  }

  /** The keeper that answers now. */
  answered(pid: number): void {
    if (this.#started?.pid === pid) {
      this.#started.hasAnswered = true;
      return;
    }
    this.#started = null;
    this.#vain = 0;
  }

  /** One that never answers would keep the next program from being tried. */
  endSilent(): void {
    const { clock, log, programs } = this.#options;
    const started = this.#started;
    if (started === null || started.hasAnswered || started.isEnded || programs().length < 2) return;
    if (clock.monotonic() - started.since < ANSWER_MS || !isAlive(started.pid)) return;
    log(
      `the keeper (process ${String(started.pid)}) has not answered for ${String(ANSWER_MS / 1_000)} s, and is ended`,
    );
    this.#vain += 1;
    started.isEnded = true;
    endKeeper(started.pid, log);
  }

  /** The keeper has ended; `hung`: it was ended as it hung. To be told before the next {@link start}. */
  async ended(pid: number, hung: boolean): Promise<void> {
    const started = this.#started;
    if (started?.pid !== pid) return;
    this.#started = null;
    // SIGKILL comes from a person or the kernel, and says nothing of the program.
    if (!started.hasAnswered) this.#vain += (await started.signal) === "SIGKILL" ? 0 : 1;
    else if (hung && this.#options.clock.monotonic() - started.since < SOON_MS) this.#vain += 1;
    else this.#vain = 0;
  }
}

/** By force. Another may have ended it in the same moment; one that may not be ended, as another user's, is told of alone. */
export function endKeeper(pid: number, log: (message: string) => void): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH") return;
    log(`the keeper (process ${String(pid)}) cannot be ended: ${toTealError(thrown).message}`);
  }
}
