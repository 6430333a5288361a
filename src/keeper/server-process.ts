import { statSync } from "node:fs";
import { TealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import { endGroup, killLeftovers } from "./end-group.ts";
import type { KeeperParts } from "./parts.ts";
import type { ProcessRecord } from "./record.ts";
import { doubled } from "./restart-policy.ts";
import { spawnTeal } from "./spawn-teal.ts";
import { adoptProcess, printExit, type WatchedProcess } from "./watched-process.ts";

/** sysexits.h, EX_CONFIG. A server ends with it when it cannot run as things are: its configuration, or another's lock. */
export const CANNOT_RUN = 78;
const STOP = { signal: "SIGTERM", timeoutMs: 10_000 } as const;
const HEALTHY_RESET_MS: Milliseconds = 10_000;
/** How often teal.yaml is looked at while the server waits for it to be mended. */
const CONFIG_POLL_MS: Milliseconds = 500;

/**
 * Keeps the control plane running: started again after 100 ms, doubling to 5 s; after 5 s, doubling to 60 s, when it says
 * that it cannot run, but at once when teal.yaml changes.
 */
export class ServerProcess {
  readonly #parts: KeeperParts;
  readonly #changed: () => void;
  readonly #stop = new AbortController();
  #process: WatchedProcess | null = null;
  #startedAt = 0;
  #restarts = 0;
  #cannotRun = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: KeeperParts, changed: () => void) {
    this.#parts = parts;
    this.#changed = changed;
  }

  get report(): { readonly pid: number | null; readonly restarts: number; readonly cannotRun: boolean } {
    return { pid: this.#process?.pid ?? null, restarts: this.#restarts, cannotRun: this.#cannotRun };
  }

  get record(): ProcessRecord | null {
    if (this.#process === null) return null;
    const { pid, startTicks } = this.#process;
    return { pid, startTicks, startedAt: this.#startedAt };
  }

  /** Goes on with the recorded one, which is watched until `signal` aborts, when it still runs; else starts one. */
  start(recorded: ProcessRecord | null, signal: AbortSignal): void {
    const adopted = recorded === null ? null : adoptProcess(recorded, this.#parts.clock, signal);
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

  async #live(): Promise<void> {
    const { clock, log } = this.#parts;
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const began = clock.monotonic();
      const code = await this.#once();
      this.#cannotRun = code === CANNOT_RUN;
      if (this.#stop.signal.aborted) return;
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
      const { root, runtime, config } = launch;
      if (this.#process === null)
        this.#runs(await spawnTeal("server", { root, runtime, config }, this.#parts), clock.now());
    } catch (thrown) {
      log(`the server could not be started: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      return null;
    }
    const process = this.#process;
    if (process === null) return null;
    const stopped = Promise.withResolvers<null>();
    this.#stop.signal.addEventListener("abort", () => stopped.resolve(null), { once: true });
    if (this.#stop.signal.aborted) await endGroup(process, STOP, clock);
    const exit = await Promise.race([process.exited, stopped.promise]);
    this.#process = null;
    if (exit === null) return null;
    killLeftovers(process.pid);
    log(`the server (pid ${String(process.pid)}) ${printExit(exit)}`);
    this.#changed();
    return exit.code;
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
    try {
      while (clock.monotonic() < until) {
        const leftMs = until - clock.monotonic();
        await clock.sleep(untilConfigChanges ? Math.min(CONFIG_POLL_MS, leftMs) : leftMs, this.#stop.signal);
        if (untilConfigChanges && this.#configTime() !== before) return;
      }
    } catch (thrown) {
      if (!this.#stop.signal.aborted) throw thrown;
    }
  }

  #configTime(): Milliseconds {
    return statSync(this.#parts.launch.config, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }
}
