import { statSync } from "node:fs";
import { basename } from "node:path";
import { TealError, toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Program } from "../wire/launch.ts";
import { stateWords } from "../wire/watch-heartbeat.ts";
import { apiAnswers } from "./api-answers.ts";
import { endGroup, killLeftovers, sendSignal } from "./end-group.ts";
import { Lanes } from "./lanes.ts";
import type { KeeperParts } from "./parts.ts";
import { isSameProgram, ownProgram, programWith } from "./program.ts";
import type { TealRecord } from "./record.ts";
import { doubled } from "./restart-policy.ts";
import { spawnTeal } from "./spawn-teal.ts";
import { watchChild } from "./watch-child.ts";
import { adoptProcess, printExit, type WatchedProcess } from "./watched-process.ts";

/** sysexits.h, EX_CONFIG. A server ends with it when it cannot run as things are: its configuration, or another's lock. */
export const CANNOT_RUN = 78;
const STOP = { signal: "SIGTERM", timeoutMs: 10_000 } as const;
const HEALTHY_RESET_MS: Milliseconds = 10_000;
/** How often teal.yaml is looked at while the server waits for it to be mended. */
const CONFIG_POLL_MS: Milliseconds = 500;
/** How long a server that replaces another may take until its API answers. */
const ANSWER_MS: Milliseconds = 30_000;
const ASK_AGAIN_MS: Milliseconds = 50;
/** A server that ended so many times by itself in place of another does not come up. */
const HOPELESS_ENDS = 3;

/**
 * Keeps the control plane running: started again after 100 ms, doubling to 5 s; after 5 s, doubling to 60 s, when it says
 * that it cannot run, but at once when teal.yaml changes.
 */
export class ServerProcess {
  readonly #parts: KeeperParts;
  readonly #changed: () => void;
  readonly #stop = new AbortController();
  readonly #lane = new Lanes();
  #program: Program;
  #process: WatchedProcess | null = null;
  #startedAt = 0;
  #restarts = 0;
  /** Times that it ended by itself. */
  #ends = 0;
  /** Aborts the wait before the next start. */
  #hurry = new AbortController();
  /** The process that is being replaced: its end is wanted. */
  #leaving: WatchedProcess | null = null;
  #cannotRun = false;
  /** Servers that were ended as they hung. */
  #hangs = 0;
  /** The one that is ended as it hangs; then the one whose place the present one took. */
  #hung: number | null = null;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: KeeperParts, changed: () => void) {
    this.#parts = parts;
    this.#changed = changed;
    this.#program = ownProgram(parts);
  }

  get report(): {
    readonly pid: number | null;
    readonly restarts: number;
    readonly cannotRun: boolean;
    readonly runtime: string;
    readonly hangs: number;
    readonly afterHung: number | null;
  } {
    const { runtime } = this.#program;
    return {
      pid: this.#process?.pid ?? null,
      restarts: this.#restarts,
      cannotRun: this.#cannotRun,
      runtime,
      hangs: this.#hangs,
      afterHung: this.#hung,
    };
  }

  get record(): TealRecord | null {
    if (this.#process === null) return null;
    const { pid, startTicks } = this.#process;
    return { pid, startTicks, startedAt: this.#startedAt, program: this.#program };
  }

  /** Goes on with the recorded one, which is watched until `signal` aborts, when it still runs; else starts one. */
  start(recorded: TealRecord | null, signal: AbortSignal): void {
    const adopted = recorded === null ? null : adoptProcess(recorded, this.#parts.clock, signal);
    this.#program = recorded?.program ?? this.#program;
    if (adopted !== null && recorded !== null) this.#runs(adopted, recorded.startedAt);
    this.#loop = this.#live();
  }

  /** SIGTERM, 10 s, SIGKILL. */
  async stop(): Promise<void> {
    const process = this.#process;
    this.#stop.abort(new TealError("aborted", "the keeper ends"));
    if (process !== null) await endGroup(process, STOP, this.#parts.clock);
    await this.#loop;
  }

  /** See KEEPER_PROTOCOL, `server.replace`. @throws `upgrade-failed`; the one from before runs again then */
  replace(program: Program): Promise<void> {
    return this.#lane.run("server", () => this.#replace(program));
  }

  async #replace(program: Program): Promise<void> {
    const before = this.#program;
    if (isSameProgram(before, program)) return;
    const name = basename(program.runtime);
    this.#parts.log(`the server is being replaced by one from ${name}`);
    try {
      await this.#startWith(program);
    } catch (thrown) {
      const { message } = toTealError(thrown);
      this.#parts.log(`the server of ${name} did not come up: ${message}; going back`);
      const isBack = await this.#startWith(before).then(
        () => true,
        () => false,
      );
      const now = isBack ? "the old one runs again" : "the old one does not come up again either";
      throw new TealError("upgrade-failed", `the server of ${name} did not come up, and ${now}: ${message}`, {
        cause: thrown,
      });
    }
  }

  /** Ends the one that runs, has the next one started from `program`, and waits until its API answers. */
  async #startWith(program: Program): Promise<void> {
    const { clock, paths } = this.#parts;
    const old = this.#process;
    this.#leaving = old;
    this.#program = program;
    this.#cannotRun = false;
    if (old !== null) await endGroup(old, STOP, clock);
    else this.#hurry.abort(new TealError("aborted", "another server is wanted"));
    const endsBefore = this.#ends;
    const until = clock.monotonic() + ANSWER_MS;
    for (;;) {
      this.#stop.signal.throwIfAborted();
      if (this.#process !== null && this.#process !== old && (await apiAnswers(paths.apiSocket))) return;
      const ends = this.#ends - endsBefore;
      if (this.#cannotRun || ends >= HOPELESS_ENDS)
        throw new TealError("server-down", "it ends at its start; see server.log");
      if (clock.monotonic() > until)
        throw new TealError("deadline-passed", `its API did not answer within ${String(ANSWER_MS / 1_000)} s`);
      await clock.sleep(ASK_AGAIN_MS, this.#stop.signal);
    }
  }

  async #live(): Promise<void> {
    const { clock, log } = this.#parts;
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const began = clock.monotonic();
      this.#hurry = new AbortController();
      const code = await this.#once();
      if (this.#stop.signal.aborted) return;
      if (this.#leaving !== null) {
        this.#leaving = null;
        failures = 0;
        continue;
      }
      this.#cannotRun = code === CANNOT_RUN;
      this.#ends += 1;
      failures = clock.monotonic() - began >= HEALTHY_RESET_MS ? 1 : failures + 1;
      const waitMs = code === CANNOT_RUN ? doubled(5_000, failures, 60_000) : doubled(100, failures, 5_000);
      log(`the server is started again in ${String(waitMs)} ms; see server.log`);
      await this.#wait(waitMs, code === CANNOT_RUN);
      this.#restarts += 1;
    }
  }

  /** Runs it until it ends; its exit code. */
  async #once(): Promise<number | null> {
    const { log, launch, clock } = this.#parts;
    try {
      const { root, config } = launch;
      if (this.#process === null) {
        const program = programWith("server", this.#program, this.#parts);
        this.#program = program;
        this.#runs(await spawnTeal("server", program, { root, config }, this.#parts), clock.now());
      }
    } catch (thrown) {
      log(`the server could not be started: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      return null;
    }
    const process = this.#process;
    if (process === null) return null;
    const stopped = Promise.withResolvers<null>();
    this.#stop.signal.addEventListener("abort", () => stopped.resolve(null), { once: true });
    if (this.#stop.signal.aborted) await endGroup(process, STOP, clock);
    const over = new AbortController();
    void this.#endWhenHung(process, AbortSignal.any([over.signal, this.#stop.signal]));
    const exit = await Promise.race([process.exited, stopped.promise]);
    over.abort(new TealError("aborted", "the server has ended"));
    this.#process = null;
    if (exit === null) return null;
    killLeftovers(process.pid);
    if (this.#hung !== process.pid) this.#hung = null;
    log(`the server (pid ${String(process.pid)}) ${printExit(exit)}`);
    this.#changed();
    return exit.code;
  }

  /** SIGKILL: a stopped or busy process never gets to heed another signal, and the store is made for it. */
  async #endWhenHung(server: WatchedProcess, signal: AbortSignal): Promise<void> {
    const parts = this.#parts;
    await watchChild({
      process: server,
      program: this.#program,
      parts,
      signal,
      onHung: ({ silentSeconds, stat }) => {
        if (this.#leaving === server || this.#hung === server.pid) return;
        this.#hung = server.pid;
        this.#hangs += 1;
        parts.log(
          `the server (pid ${String(server.pid)}) has not answered for ${String(silentSeconds)} s: ${stateWords(stat.state)}; it is ended with SIGKILL`,
        );
        sendSignal(server.pid, "SIGKILL");
      },
    });
  }

  #runs(process: WatchedProcess, startedAt: number): void {
    this.#process = process;
    this.#cannotRun = false;
    this.#startedAt = startedAt;
    this.#parts.log(`the server runs as pid ${String(process.pid)}`);
    this.#changed();
  }

  async #wait(ms: Milliseconds, untilConfigChanges: boolean): Promise<void> {
    const { clock } = this.#parts;
    const until = clock.monotonic() + ms;
    const before = this.#configTime();
    const enough = AbortSignal.any([this.#stop.signal, this.#hurry.signal]);
    try {
      while (clock.monotonic() < until) {
        const leftMs = until - clock.monotonic();
        await clock.sleep(untilConfigChanges ? Math.min(CONFIG_POLL_MS, leftMs) : leftMs, enough);
        if (untilConfigChanges && this.#configTime() !== before) return;
      }
    } catch (thrown) {
      if (!enough.aborted) throw thrown;
    }
  }

  #configTime(): Milliseconds {
    return statSync(this.#parts.launch.config, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }
}
