import { join } from "node:path";
import type { Clock } from "../model/time.ts";
import type { InstanceReport, InstanceSpec } from "../wire/keeper.ts";
import { Instance, type InstanceParts } from "./instance.ts";
import { Lanes } from "./lanes.ts";
import { endOrphan, orphansBelow } from "./orphans.ts";
import { Fifos } from "./fifos.ts";
import { ListeningSockets } from "./listeners.ts";
import { allProcesses, readEnvironment } from "./procfs.ts";
import type { InstanceRecord } from "./record.ts";
import { SharedReading } from "./shared-reading.ts";
import { adoptProcess } from "./watched-process.ts";

/** Of FIFOs, beside the folders of services: no service can be called so. */
const SPARE = ".spare";

/** All instances of a keeper by id. Starts and stops of one id come one after the other; different ids side by side. */
export class Instances {
  readonly #parts: InstanceParts;
  readonly #instances = new Map<string, Instance>();
  readonly #lanes = new Lanes();

  constructor(parts: Omit<InstanceParts, "processes" | "listening" | "fifos">) {
    const { clock, paths } = parts;
    this.#parts = {
      ...parts,
      processes: new SharedReading(clock, allProcesses),
      listening: new SharedReading(clock, () => new ListeningSockets()),
      fifos: new Fifos(join(paths.run, SPARE)),
    };
  }

  /** Starts those that do not run, or have failed. Returns when each has a process, or could not be started. */
  async start(specs: readonly InstanceSpec[]): Promise<InstanceReport[]> {
    return Promise.all(specs.map((spec) => this.#lanes.run(spec.id, () => this.#start(spec))));
  }

  /** Returns when all have ended, and forgets them. An id that is not known has ended. */
  async stop(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#lanes.run(id, () => this.#stop(id))));
  }

  async stopAll(): Promise<void> {
    await this.stop([...this.#instances.keys()]);
  }

  /** They run on; what they have printed is in their logs, and what they print from now on waits for the next keeper. */
  async handOver(): Promise<void> {
    await Promise.all([...this.#instances.values()].map((instance) => instance.handOver()));
  }

  list(): InstanceReport[] {
    return [...this.#instances.values()].map((instance) => instance.report);
  }

  /** As they are written; see {@link printRecord}. */
  records(): Buffer[] {
    return [...this.#instances.values()].flatMap((instance) => instance.record ?? []);
  }

  /**
   * Goes on with what an earlier keeper started in this same boot and still runs. What has ended since is not known any
   * more: its variables are not kept, so the server starts it again. What runs and was not recorded is ended.
   */
  async adopt(records: readonly InstanceRecord[], signal: AbortSignal, clock: Clock): Promise<void> {
    for (const record of records) {
      const { id } = record.spec;
      const process = adoptProcess(record, clock, signal);
      const environment = readEnvironment(record.pid);
      if (process === null || (environment?.["TEAL_INSTANCE"] ?? id) !== id) continue;
      // Some programs write over their environment: they are watched, and cannot be started again from here.
      const known = environment?.["TEAL_INSTANCE"] === id;
      const { PORT: _drawn, ...variables } = environment ?? {};
      const instance = new Instance({ ...record.spec, variables }, this.#parts, known);
      this.#instances.set(id, instance);
      await instance.adopt(process, record);
    }
    for (const orphan of orphansBelow(this.#parts.paths.run, new Set(this.#instances.keys()))) {
      // In its lane, so that the server's start of the same instance waits for the end of this one.
      void this.#lanes.run(orphan.instance, () => endOrphan(orphan, clock, signal));
    }
  }

  async #start(spec: InstanceSpec): Promise<InstanceReport> {
    const running = this.#instances.get(spec.id);
    if (running !== undefined && !running.over) return running.report;
    await running?.stop();
    const instance = new Instance(spec, this.#parts);
    this.#instances.set(spec.id, instance);
    await instance.start();
    return instance.report;
  }

  async #stop(id: string): Promise<void> {
    await this.#instances.get(id)?.stop();
    this.#instances.delete(id);
  }
}
