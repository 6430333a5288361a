import { join } from "node:path";
import type { ErrorCode } from "../model/catalogue.ts";
import { TealError, toTealError } from "../model/error.ts";
import { STOP_SIGNALS, type StopSignal } from "../model/service.ts";
import type { Clock } from "../model/time.ts";
import type { InstanceReport, InstanceSpec } from "../wire/keeper.ts";
import type { StatePaths } from "../wire/paths.ts";
import { endGroup, killLeftovers } from "./end-group.ts";
import type { Fifos } from "./fifos.ts";
import { InstanceOutput } from "./instance-output.ts";
import { launchInstance } from "./launch-instance.ts";
import type { ListeningSockets } from "./listeners.ts";
import { portOwner } from "./port-owner.ts";
import type { Ports } from "./ports.ts";
import type { ProcessStat } from "../wire/process-stat.ts";
import { type InstanceRecord, printInstance } from "./record.ts";
import { RestartPolicy } from "./restart-policy.ts";
import { RotatingLog } from "./rotating-log.ts";
import type { SharedReading } from "./shared-reading.ts";
import { type End, watchProcess } from "./watch-process.ts";
import { type Exit, printExit, type WatchedProcess } from "./watched-process.ts";

/** Ports tried when a stranger has the one that was drawn. */
const PORT_DRAWS = 3;

export interface InstanceParts {
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly ports: Ports;
  readonly fifos: Fifos;
  readonly processes: SharedReading<readonly ProcessStat[]>;
  readonly listening: SharedReading<ListeningSockets>;
  /** After each change of the report or the record. */
  readonly changed: (instance: Instance) => void;
}

type Status = Pick<InstanceReport, "state" | "code" | "reason">;

/**
 * One instance, from its start until it is told to stop. States: starting → ready → backoff → starting …; `crash-loop` when
 * it keeps ending, until it is ready again; `failed` when it cannot be started; `stopping` → `stopped`.
 * One loop owns the process and is the only writer of the state.
 */
export class Instance {
  readonly spec: InstanceSpec;
  readonly #parts: InstanceParts;
  readonly #variablesKnown: boolean;
  readonly #stop = new AbortController();
  readonly #policy = new RestartPolicy();
  #status: Status = { state: "starting", code: null, reason: null };
  #output: InstanceOutput | null = null;
  #process: (WatchedProcess & { readonly startedAt: number }) | null = null;
  #port: number | null = null;
  #restarts = 0;
  /** Its record as it is now; null: not printed since it last changed. */
  #printed: Buffer | null = null;
  #draws = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(spec: InstanceSpec, parts: InstanceParts, variablesKnown = true) {
    this.spec = spec;
    this.#parts = parts;
    this.#variablesKnown = variablesKnown;
  }

  /** Whether nothing runs, nor will without another start. */
  get over(): boolean {
    return this.#status.state === "failed" || this.#status.state === "stopped";
  }

  get report(): InstanceReport {
    const { id, service, environment, release, ordinal } = this.spec;
    return {
      id,
      service,
      environment,
      release,
      ordinal,
      ...this.#status,
      address: this.#port === null ? null : `127.0.0.1:${String(this.#port)}`,
      pid: this.#process?.pid ?? null,
      restarts: this.#restarts,
      startedAt: this.#process?.startedAt ?? null,
    };
  }

  /** As it is written; null while no process runs. */
  get record(): Buffer | null {
    if (this.#process === null || this.#port === null) return null;
    this.#printed ??= this.#print(this.#process, this.#port);
    return this.#printed;
  }

  #print({ pid, startTicks, startedAt }: WatchedProcess & { readonly startedAt: number }, port: number): Buffer {
    const { variables: _secret, ...spec } = this.spec;
    const ready = this.#status.state === "ready";
    return printInstance({ spec, pid, startTicks, startedAt, port, ready, restarts: this.#restarts });
  }

  /** Returns when its first process runs, or has failed to start. */
  async start(): Promise<void> {
    const started = Promise.withResolvers<void>();
    this.#loop = this.#guarded(async () => {
      this.#output = await this.#openOutput();
      this.#port = this.#parts.ports.draw();
      const process = await this.#launch();
      started.resolve();
      await this.#live(process);
    });
    void this.#loop.then(started.resolve);
    await started.promise;
  }

  /** Goes on with a process that an earlier keeper started. */
  async adopt(process: WatchedProcess, record: InstanceRecord): Promise<void> {
    this.#output = await this.#openOutput();
    this.#parts.ports.claim(record.port);
    this.#port = record.port;
    this.#restarts = record.restarts;
    this.#process = { ...process, startedAt: record.startedAt };
    if (record.ready) this.#becomeReady();
    this.#loop = this.#guarded(() => this.#live(process));
  }

  /** Ends reading what it prints; the process goes on, and another keeper reads on. */
  async handOver(): Promise<void> {
    await this.#output?.handOver();
  }

  /** Stop signal, its timeout, SIGKILL; returns when the whole group has ended. The same again waits for the first. */
  async stop(): Promise<void> {
    this.#stop.abort(new TealError("aborted", `${this.spec.id} is being stopped`));
    await this.#loop;
    await this.#output?.close();
    this.#output = null;
    this.#releasePort();
    this.#become({ state: "stopped", code: null, reason: null });
  }

  /** The loop never rejects: what goes wrong in it is the instance's own state. */
  async #guarded(loop: () => Promise<void>): Promise<void> {
    try {
      await loop();
    } catch (thrown) {
      if (this.#process !== null) killLeftovers(this.#process.pid);
      this.#process = null;
      const error = toTealError(thrown);
      if (!this.#stop.signal.aborted) this.#become({ state: "failed", code: error.code, reason: error.message });
    }
  }

  async #live(first: WatchedProcess | null): Promise<void> {
    let process = first;
    while (process !== null) {
      const end = await this.#watch(process);
      if (end.kind === "stopped") return this.#end(process);
      const again =
        end.kind === "exited"
          ? await this.#afterExit(process, end.exit)
          : await this.#afterStranger(process, end.reason);
      if (!again || this.#stop.signal.aborted) return;
      process = await this.#launch();
    }
  }

  #watch(process: WatchedProcess): Promise<End> {
    return watchProcess(process, {
      target:
        this.#status.state === "ready"
          ? null
          : {
              port: this.#setUp().port,
              pid: process.pid,
              health: this.spec.health,
              listening: this.#parts.listening,
            },
      clock: this.#parts.clock,
      stop: this.#stop.signal,
      onReason: (reason) => {
        const { state, reason: before } = this.#status;
        if (state === "starting" && reason !== before) this.#become({ state: "starting", code: null, reason });
      },
      onReady: () => this.#becomeReady(),
    });
  }

  async #end(process: WatchedProcess): Promise<void> {
    this.#become({ state: "stopping", code: null, reason: null });
    const { signal, timeoutMs } = this.spec.stop;
    await endGroup(process, { signal: stopSignal(signal), timeoutMs }, this.#parts.clock, this.#parts.processes);
    this.#process = null;
  }

  /** Whether to start it again. */
  async #afterExit(process: WatchedProcess, exit: Exit): Promise<boolean> {
    const wasReady = this.#status.state === "ready";
    killLeftovers(process.pid);
    this.#process = null;
    await this.#output?.drained();
    const words = this.#output?.takeLastWords() ?? null;
    const reason = `it ${printExit(exit)}${words === null ? "" : `; it said: ${words}`}`;
    this.#output?.note(printExit(exit));
    if (!this.#variablesKnown)
      return this.#fail("stopped", null, `${reason}; its environment is not known to this keeper`);
    if (!wasReady) {
      // What a shell answers when the command is missing (127) or not executable (126): POSIX, "Exit Status for Commands".
      if (exit.code === 126 || exit.code === 127) return this.#fail("failed", "command-not-found", reason);
      const owner = portOwner(await this.#parts.listening.fresh(), this.#port ?? 0, process.pid);
      if (owner.kind === "stranger") return this.#redraw(`port ${String(this.#port)} belongs to ${owner.who}`);
    }
    return this.#backOff(reason);
  }

  async #afterStranger(process: WatchedProcess, reason: string): Promise<boolean> {
    this.#become({ state: "starting", code: "port-stranger", reason });
    await endGroup(
      process,
      { signal: stopSignal(this.spec.stop.signal), timeoutMs: this.spec.stop.timeoutMs },
      this.#parts.clock,
    );
    this.#process = null;
    return this.#redraw(reason);
  }

  #redraw(reason: string): boolean {
    this.#output?.note(reason);
    this.#draws += 1;
    if (this.#draws >= PORT_DRAWS) return this.#fail("failed", "port-stranger", reason);
    this.#releasePort();
    this.#port = this.#parts.ports.draw();
    this.#become({ state: "starting", code: "port-stranger", reason });
    return true;
  }

  async #backOff(reason: string): Promise<boolean> {
    const { waitMs, loop } = this.#policy.exited(this.#parts.clock.monotonic());
    this.#become({ state: loop ? "crash-loop" : "backoff", code: loop ? "crash-loop" : null, reason });
    await this.#parts.clock.sleep(waitMs, this.#stop.signal).catch((thrown: unknown) => {
      if (!this.#stop.signal.aborted) throw thrown;
    });
    if (this.#stop.signal.aborted) return false;
    this.#restarts += 1;
    return true;
  }

  /** Null when it cannot be started; waits and tries again when the machine is short of something. */
  async #launch(): Promise<WatchedProcess | null> {
    const { output, port } = this.#setUp();
    for (;;) {
      // A crash loop is over when it is ready, not when it is tried again.
      if (this.#status.state === "backoff") this.#become({ state: "starting", code: null, reason: null });
      const launch = await launchInstance(this.spec, port, output);
      if (launch.kind === "started") {
        this.#process = { ...launch.process, startedAt: this.#parts.clock.now() };
        this.#become(this.#status);
        return launch.process;
      }
      output.note(launch.reason);
      if (launch.kind === "failed") this.#fail("failed", launch.code, launch.reason);
      if (launch.kind === "failed" || !(await this.#backOff(launch.reason))) return null;
    }
  }

  #setUp(): { readonly output: InstanceOutput; readonly port: number } {
    if (this.#output === null || this.#port === null)
      throw new TealError("internal", `${this.spec.id} was launched before it was set up`);
    return { output: this.#output, port: this.#port };
  }

  #becomeReady(): void {
    this.#policy.ready(this.#parts.clock.monotonic());
    this.#draws = 0;
    this.#become({ state: "ready", code: null, reason: null });
  }

  #fail(state: "failed" | "stopped", code: ErrorCode | null, reason: string): false {
    this.#become({ state, code, reason });
    return false;
  }

  #become(status: Status): void {
    this.#status = status;
    this.#printed = null;
    this.#parts.changed(this);
  }

  #releasePort(): void {
    if (this.#port !== null) this.#parts.ports.release(this.#port);
    this.#port = null;
  }

  #openOutput(): Promise<InstanceOutput> {
    const { paths, clock, fifos } = this.#parts;
    const { service, environment, release, ordinal } = this.spec;
    const name = join(service, environment, `${release}.${String(ordinal)}`);
    return InstanceOutput.open(
      join(paths.run, `${name}.fifo`),
      new RotatingLog(join(paths.logs, `${name}.log`), clock),
      fifos,
    );
  }
}

function stopSignal(name: string): StopSignal {
  return STOP_SIGNALS.find((signal) => signal === name) ?? "SIGTERM";
}
