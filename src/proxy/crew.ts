import { closeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { TealError } from "../model/error.ts";
import type { ProxySettings } from "../model/proxy-settings.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import { sharedInts, sharedNumbers, PROCESS_CELL } from "./cells.ts";
import { DOOR, type DoorReading, readDoor } from "./door-cells.ts";
import type { FromWorker, PublishedMode, PublishedTable, RoutesChange, ToWorker, WorkerStart } from "./messages.ts";
import { Publications } from "./publications.ts";

/** Longest wait for all workers to acknowledge a table. */
const ACKNOWLEDGE_MS: Milliseconds = 5_000;
/** This many lost within a minute: something is wrong with the process itself, and the keeper starts another. */
const LOSSES_ALLOWED = 5;
const LOSS_WINDOW_MS: Milliseconds = 60_000;

/** A request leaves little behind: a larger young generation costs 20 MiB per worker under load and gains 5 % of CPU. */
const LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 8 };

export interface CrewOptions {
  readonly workers: number;
  readonly settings: ProxySettings;
  /** The worker's program. */
  readonly program: URL;
  /** Per listening address, a descriptor for each worker, and perhaps some in reserve for replaced ones. */
  readonly fds: readonly (readonly number[])[];
  readonly clock: Clock;
  /** What a worker has to know before it accepts a connection. */
  readonly known: () => Pick<WorkerStart, "tables" | "routes" | "modes">;
  /** Takes lines of the access log; resolves, never rejects, with whether they were written. */
  readonly onAccess: (text: string, lines: number) => Promise<boolean>;
  /** Connects have just made an instance of the service unhealthy. */
  readonly onEjected: (service: string) => void;
  readonly onLost: (index: number) => void;
  readonly onFatal: (message: string) => void;
  readonly log: (message: string) => void;
}

interface Member {
  readonly worker: Worker;
  readonly listening: PromiseWithResolvers<void>;
  readonly drained: PromiseWithResolvers<void>;
}

/** The worker threads: starts them, replaces those that die, and gets every table to all that live. */
export class Crew {
  readonly processCell = sharedInts(PROCESS_CELL.length);
  readonly #door: Float64Array<SharedArrayBuffer>;
  readonly #options: CrewOptions;
  readonly #members = new Map<number, Member>();
  readonly #publications = new Publications();
  #nextReserve: number;
  #losses: Milliseconds[] = [];
  #isEnding = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#nextReserve = options.workers;
    this.#door = sharedNumbers(options.workers * DOOR.length);
  }

  /** Resolves when all accept connections. */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.workers }, (_, index) => this.#begin(index, index)));
  }

  /**
   * Resolves when every worker that lives knows these tables and modes, also one that starts meanwhile; nothing is live
   * by that alone.
   * @throws `data-plane-down` when one does not answer in time
   */
  async publish(
    tables: readonly PublishedTable[],
    routes: RoutesChange | null,
    modes: readonly PublishedMode[] = [],
  ): Promise<void> {
    const { message, known, close } = this.#publications.open({ tables, routes, modes }, this.#members.keys());
    this.tell(message);
    const timer = new AbortController();
    try {
      const isLate = this.#options.clock.sleep(ACKNOWLEDGE_MS, timer.signal).then(
        () => true,
        () => false,
      );
      if (await Promise.race([known.then(() => false), isLate])) {
        throw new TealError(
          "data-plane-down",
          `a worker of the proxy did not acknowledge a table within ${String(ACKNOWLEDGE_MS)} ms`,
        );
      }
    } finally {
      timer.abort();
      close();
    }
  }

  /** Connections, and what was refused, of all workers. */
  readDoor(): DoorReading {
    return readDoor(this.#door);
  }

  tell(message: ToWorker): void {
    for (const { worker } of this.#members.values()) post(worker, message);
  }

  /**
   * Resolves when the last connection has gone, at the deadline at the latest. The reserve is let go of: a socket listens as
   * long as anybody has it, and who binds the address anew, should all others be gone, is not to be refused.
   */
  async drain(deadlineMs: Milliseconds): Promise<void> {
    this.#isEnding = true;
    for (const fd of this.#options.fds.flatMap((list) => list.slice(this.#nextReserve))) closeSync(fd);
    this.#nextReserve = Infinity;
    this.tell({ kind: "drain", deadlineMs });
    await Promise.all([...this.#members.values()].map(({ drained }) => drained.promise));
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await Promise.all([...this.#members.values()].map(({ worker }) => worker.terminate()));
  }

  #begin(index: number, descriptor: number): Promise<void> {
    const { workers, settings, program, known } = this.#options;
    const fds = this.#options.fds.map((list) => list[descriptor] ?? -1);
    const start: WorkerStart = {
      index,
      workers,
      settings,
      processCell: this.processCell,
      door: this.#door,
      fds,
      ...known(),
    };
    const worker = new Worker(program, {
      workerData: start,
      resourceLimits: LIMITS,
      name: `proxy-worker-${String(index)}`,
    });
    const member = { worker, listening: Promise.withResolvers<void>(), drained: Promise.withResolvers<void>() };
    this.#members.set(index, member);
    // What it started with has none of what the others are learning at this moment.
    for (const message of this.#publications.joined(index)) post(worker, message);
    worker.on("message", (message: FromWorker) => {
      this.#receive(index, member, message);
    });
    worker.on("error", (error) => {
      this.#options.log(
        `worker ${String(index)} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    });
    worker.once("exit", (code) => {
      this.#lost(index, member, code);
    });
    return member.listening.promise;
  }

  #receive(index: number, member: Member, message: FromWorker): void {
    switch (message.kind) {
      case "listening":
        member.listening.resolve();
        return;
      case "acknowledged":
        this.#publications.acknowledged(index, message.number);
        return;
      case "ejected":
        this.#options.onEjected(message.service);
        return;
      case "access":
        void this.#options.onAccess(message.text, message.lines).then((isWritten) => {
          post(member.worker, { kind: "access-answered", lines: message.lines, isWritten });
        });
        return;
      case "drained":
        member.drained.resolve();
        return;
      default:
        message satisfies never;
    }
  }

  #lost(index: number, member: Member, code: number): void {
    this.#members.delete(index);
    // Its connections ended with it.
    this.#door[index * DOOR.length + DOOR.open] = 0;
    member.drained.resolve();
    this.#options.onLost(index);
    if (!this.#isEnding) {
      this.#options.log(`worker ${String(index)} ended with code ${String(code)}`);
      this.#replace(index);
    }
    // One in its place is waited for instead: it must not accept a connection before it knows what is live.
    if (!this.#members.has(index)) this.#publications.left(index);
  }

  /** Its sockets died with it; a replacement gets those in reserve. */
  #replace(index: number): void {
    const { clock, fds, log, onFatal } = this.#options;
    const now = clock.monotonic();
    this.#losses = [...this.#losses.filter((at) => now - at < LOSS_WINDOW_MS), now];
    const hasReserve = fds.every((list) => list.length > this.#nextReserve);
    if (this.#losses.length > LOSSES_ALLOWED || (!hasReserve && this.#members.size === 0)) {
      onFatal("the workers keep ending");
    } else if (hasReserve) {
      const descriptor = this.#nextReserve;
      this.#nextReserve += 1;
      this.#begin(index, descriptor).catch((thrown: unknown) => {
        onFatal(`worker ${String(index)} could not be replaced: ${String(thrown)}`);
      });
    } else {
      log(`no socket is left for a new worker ${String(index)}; ${String(this.#members.size)} go on`);
    }
  }
}

function post(worker: Worker, message: ToWorker): void {
  // The rule means browser windows; a worker thread has no origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  worker.postMessage(message);
}
