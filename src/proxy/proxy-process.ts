import { randomBytes } from "node:crypto";
import { closeSync, rmSync } from "node:fs";
import type { Clock, Milliseconds, Random } from "../model/time.ts";
import { join } from "node:path";
import type { PeerServer } from "../wire/connect.ts";
import type { ProxyLaunch } from "../wire/launch.ts";
import { StatePaths } from "../wire/paths.ts";
import type { ProxyProtocol } from "../wire/proxy.ts";
import { AccessLogFile } from "./access-log-file.ts";
import { serveControl } from "./control-server.ts";
import { ControllerWatch } from "./controller-watch.ts";
import { Crew } from "./crew.ts";
import { DataPlane } from "./data-plane.ts";
import { Followers } from "./followers.ts";
import { KeeperWatch } from "./keeper-watch.ts";
import { Snapshot } from "./snapshot.ts";

/** The last lines of the access log have so long to reach the disk. */
const LAST_LINES_MS: Milliseconds = 1_000;
const SAMPLE_EVERY_MS: Milliseconds = 100;
const CUT_BEFORE_MS: Milliseconds = 100;
/** So that the last samples and receipts reach the server. */
const LAST_WORDS_MS: Milliseconds = 100;

export interface ProxyOptions {
  readonly launch: ProxyLaunch;
  readonly workerProgram: URL;
  readonly keeperProgram: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: (message: string) => void;
  readonly exit: (code: number) => void;
}

/** One proxy: the main thread's parts, put together. */
export class ProxyProcess {
  readonly #options: ProxyOptions;
  readonly #epoch = `${randomBytes(6).toString("hex")}-${String(process.pid)}`;
  readonly #snapshot: Snapshot;
  readonly #crew: Crew;
  readonly #access: AccessLogFile;
  readonly #plane: DataPlane;
  readonly #followers = new Followers((service) => this.#plane.observe(service));
  readonly #watch: ControllerWatch;
  readonly #socket: string;
  readonly #keeperWatch = new AbortController();
  readonly #ended = new AbortController();
  #control: PeerServer<ProxyProtocol> | null = null;
  #isDraining = false;

  constructor(options: ProxyOptions) {
    this.#options = options;
    const { launch, clock, log } = options;
    const paths = new StatePaths(launch.root);
    this.#socket = paths.proxySocket(process.pid);
    this.#snapshot = new Snapshot(paths.proxySnapshot, clock, log);
    const path = join(paths.logs, "access.log");
    this.#access = new AccessLogFile({ path, ...launch.settings.accessLog, clock });
    this.#crew = this.#makeCrew();
    this.#plane = this.#makePlane();
    this.#watch = new ControllerWatch(clock, this.#plane, launch.controllerLossMs);
  }

  /** Serves traffic by the snapshot first; the control socket is there once all workers accept. */
  async start(): Promise<void> {
    const { clock } = this.#options;
    this.#plane.restore();
    await this.#crew.start();
    this.#control = await serveControl({
      path: this.#socket,
      clock,
      plane: this.#plane,
      followers: this.#followers,
      epoch: this.#epoch,
      isDraining: () => this.#isDraining,
      onSignOfLife: () => {
        this.#watch.heard();
      },
      drain: (deadlineMs) => {
        this.#drain(deadlineMs);
      },
    });
    void this.#watch.run(this.#ended.signal);
    void this.#sample(this.#ended.signal);
    void this.#watchKeeper();
  }

  #makeCrew(): Crew {
    const { launch, workerProgram, clock, log } = this.#options;
    return new Crew({
      workers: launch.workers,
      settings: launch.settings,
      program: workerProgram,
      fds: launch.listeners.map(({ fds }) => fds),
      clock,
      known: () => this.#plane.known(),
      onAccess: (text, lines) => this.#access.write(text, lines),
      onEjected: (service) => {
        this.#followers.changed(service);
      },
      onLost: (index) => {
        this.#plane.workerLost(index);
      },
      onFatal: (message) => {
        log(message);
        this.#end(1);
      },
      log,
    });
  }

  #makePlane(): DataPlane {
    const { launch, clock, random } = this.#options;
    return new DataPlane({
      workers: launch.workers,
      clock,
      random,
      crew: this.#crew,
      snapshot: this.#snapshot,
      epoch: this.#epoch,
      onReceipt: (receipt) => this.#control?.notify("receipt", receipt),
      onReverted: (reverted) => this.#control?.notify("reverted", { ...reverted, split: { ...reverted.split } }),
      onChanged: (service) => {
        this.#followers.changed(service);
      },
    });
  }

  #drain(deadlineMs: Milliseconds): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#snapshot.stopWriting();
    this.#keeperWatch.abort();
    // Nobody is handed them any more; see Crew.drain.
    for (const { spare } of this.#options.launch.listeners) closeSync(spare);
    this.#access.stopRotating();
    void this.#crew.drain(deadlineMs).then(() => this.#lastWords());
    void this.#cutBefore(deadlineMs);
  }

  /** A little before the workers close what is left, so that it is counted for what it is. */
  async #cutBefore(deadlineMs: Milliseconds): Promise<void> {
    const isOn = await this.#options.clock.sleep(Math.max(0, deadlineMs - CUT_BEFORE_MS), this.#ended.signal).then(
      () => true,
      () => false,
    );
    if (isOn) this.#plane.cutAll();
  }

  /** What the server has not heard yet: final receipts, and what was counted since the last sample. */
  async #lastWords(): Promise<void> {
    const { clock } = this.#options;
    this.#plane.close();
    const control = this.#control;
    if (control !== null)
      control.notify("sample", { samples: this.#plane.samples(control.size), connections: this.#crew.readDoor() });
    const late = clock.sleep(LAST_LINES_MS, this.#ended.signal).catch(() => undefined);
    await Promise.all([clock.sleep(LAST_WORDS_MS), Promise.race([this.#access.close(), late])]);
    this.#end(0);
  }

  async #watchKeeper(): Promise<void> {
    const { launch, keeperProgram, clock, log } = this.#options;
    await new KeeperWatch({ launch, program: keeperProgram, clock, log }).run(this.#keeperWatch.signal);
  }

  async #sample(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(SAMPLE_EVERY_MS, signal).catch(() => undefined);
      const control = this.#control;
      if (control === null) continue;
      if (control.size === 0) {
        this.#plane.noListeners();
        continue;
      }
      const samples = this.#plane.samples(control.size);
      control.notify("sample", { samples, connections: this.#crew.readDoor() });
    }
  }

  #end(code: number): void {
    this.#ended.abort();
    this.#keeperWatch.abort();
    this.#plane.close();
    rmSync(this.#socket, { force: true });
    this.#options.exit(code);
  }
}
