import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { allProcesses } from "../../src/keeper/procfs.ts";
import type { Milliseconds } from "../../src/model/time.ts";

export interface ProgramOptions {
  /** Of its log, too. */
  readonly name: string;
  /** For its log. */
  readonly folder: string;
  /** The one processor that it may run on; null: any. */
  readonly cpu: number | null;
  readonly cwd?: string;
  /** Beside what this process has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Become its descriptors from 3 on. */
  readonly fds?: readonly number[];
}

const STOP_MS: Milliseconds = 3_000;
const READY_MS: Milliseconds = 10_000;
/** USER_HZ: what /proc counts in, on every Linux that Node runs on. */
const TICK_MS: Milliseconds = 10;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGTERM");
});
// An interrupted benchmark leaves nothing running; Teal's proxy does not heed a terminal's SIGINT by itself.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

/** A program that a benchmark runs, pinned if asked, and ends by its process id. */
export class Program {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #options: ProgramOptions;

  private constructor(child: ChildProcess, pid: number, options: ProgramOptions) {
    this.#child = child;
    this.pid = pid;
    this.#options = options;
  }

  static async start(command: readonly string[], options: ProgramOptions): Promise<Program> {
    const { cpu, fds = [], cwd, env } = options;
    const [file = "", ...args] = cpu === null ? command : ["taskset", "-c", String(cpu), ...command];
    const log = openSync(logOf(options), "a");
    const child = spawn(file, args, {
      stdio: ["ignore", log, log, ...fds],
      // haproxy and nginx are in sbin, which is not on everybody's PATH.
      env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    closeSync(log);
    await once(child, "spawn");
    if (child.pid === undefined) throw new Error(`${options.name} was not started`);
    running.add(child);
    child.once("exit", () => running.delete(child));
    return new Program(child, child.pid, options);
  }

  /** Waits until `url` answers 200. @throws when it ends before, or does not in time; with its log */
  async ready(url: string): Promise<void> {
    const end = performance.now() + READY_MS;
    while (performance.now() < end && this.#runs) {
      const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => null);
      await answer?.arrayBuffer();
      if (answer?.status === 200) return;
      await sleep(10);
    }
    throw new Error(`${this.#options.name} does not serve ${url}: ${readFileSync(logOf(this.#options), "utf8")}`);
  }

  /** Processor time, user and system, of all threads of it and its descendants. Grain: 10 ms a process. */
  cpuMs(): Milliseconds {
    const family = new Set([this.pid]);
    // Children have higher ids than their parents but for a wrap; two rounds are enough for master and worker.
    for (let round = 0; round < 2; round += 1) {
      for (const { pid, parent } of allProcesses()) if (family.has(parent)) family.add(pid);
    }
    return [...family].reduce((sum, pid) => sum + cpuMsOf(pid), 0);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async stop(): Promise<void> {
    if (!this.#runs) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const force = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await exit;
    clearTimeout(force);
  }

  get #runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }
}

function logOf({ folder, name }: ProgramOptions): string {
  return join(folder, `${name}.log`);
}

/** utime and stime of proc_pid_stat(5), fields 14 and 15. */
function cpuMsOf(pid: number): Milliseconds {
  const text = readFileSync(`/proc/${String(pid)}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) * TICK_MS;
}
