import { rmSync } from "node:fs";
import { basename } from "node:path";
import { TealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import { PeerServer } from "../wire/connect.ts";
import { KEEPER_PROTOCOL, type KeeperProtocol } from "../wire/keeper.ts";
import { type Program, proxyLaunch, serverLaunch } from "../wire/launch.ts";
import { ownNode } from "../wire/node-binary.ts";
import type { Handlers } from "../wire/peer.ts";
import { readStat } from "../wire/process-stat.ts";
import { Instances } from "./instances.ts";
import type { KeeperParts } from "./parts.ts";
import { findTeal } from "./orphans.ts";
import { Ports } from "./ports.ts";
import { bootId } from "./procfs.ts";
import { isSameProgram, ownProgram } from "./program.ts";
import { Proxies } from "./proxies.ts";
import { loadRecord, printRecord, type ProxyRecord, RecordFile, type TealRecord } from "./record.ts";
import { ServerProcess } from "./server-process.ts";
import { rotateTealLog, tealLog } from "./spawn-teal.ts";

const ROTATE_EVERY_MS: Milliseconds = 60_000;
/** A disk that stands still keeps nothing from ending. */
const INTENT_MS: Milliseconds = 1_000;
/** So that the answer to `down` reaches whoever asked. */
const LAST_WORDS_MS: Milliseconds = 100;

/** The recorded proxies, and those that the last keeper had started and not recorded yet when it died: they are the newest. */
function withFound(recorded: readonly ProxyRecord[], { paths, clock }: KeeperParts): ProxyRecord[] {
  const known = new Set(recorded.map(({ pid, startTicks }) => `${String(pid)} ${String(startTicks)}`));
  const found = findTeal("proxy", paths.root).flatMap(({ pid, startTicks, launch }): ProxyRecord[] => {
    const parsed = proxyLaunch.safeParse(launch);
    if (!parsed.success || known.has(`${String(pid)} ${String(startTicks)}`)) return [];
    const listen = parsed.data.listeners.map((listener) => listener.listen);
    const { runtime, settings } = parsed.data;
    const program = { runtime, node: ownNode() };
    return [{ pid, startTicks, startedAt: clock.now(), draining: false, listen, settings, program }];
  });
  return [...recorded, ...found];
}

function foundServer({ paths, clock }: KeeperParts): TealRecord | null {
  const found = findTeal("server", paths.root)[0];
  const parsed = serverLaunch.safeParse(found?.launch);
  if (found === undefined || !parsed.success) return null;
  const program = { runtime: parsed.data.runtime, node: ownNode() };
  return { pid: found.pid, startTicks: found.startTicks, startedAt: clock.now(), program };
}

function isSameProcess({ pid, startTicks }: TealRecord): boolean {
  return readStat(pid)?.startTicks === startTicks;
}

/** The one long-lived process of a state directory: its sockets, its proxies, the server and the instances. */
export class Keeper {
  /** Resolves when everything has ended after {@link down}, or all is recorded for the keeper that takes this one's place. */
  readonly ended: Promise<void>;
  readonly #end = Promise.withResolvers<void>();
  readonly #neverAnswered = new Promise<never>(() => undefined);
  readonly #parts: KeeperParts;
  readonly #stop = new AbortController();
  readonly #bootId = bootId();
  readonly #record: RecordFile;
  readonly #instances: Instances;
  readonly #proxies: Proxies;
  readonly #server: ServerProcess;
  #peers: PeerServer<KeeperProtocol> | null = null;
  #down: Promise<void> | null = null;
  #isGoingDown = false;
  #isLeaving = false;

  private constructor(parts: KeeperParts) {
    const { paths, clock, random, log } = parts;
    this.#parts = parts;
    this.ended = this.#end.promise;
    this.#record = new RecordFile(paths.keeperRecord, () => this.#current(), log);
    this.#server = new ServerProcess(parts, () => void this.#record.save());
    this.#proxies = new Proxies(parts, () => {
      void this.#record.save();
      this.#peers?.notify("proxies", { proxies: this.#proxies.reports });
    });
    this.#instances = new Instances({
      paths,
      clock,
      ports: new Ports(random),
      changed: (instance) => {
        void this.#record.save();
        this.#peers?.notify("instance", instance.report);
      },
    });
  }

  /**
   * The caller holds the state directory's keeper lock.
   * @throws `keeper-down` when a proxy of an earlier keeper serves and did not start this one
   */
  static async start(parts: KeeperParts): Promise<Keeper> {
    const keeper = new Keeper(parts);
    const recorded = await loadRecord(parts.paths.keeperRecord, parts.log);
    // Pids mean nothing after a reboot.
    const record = recorded?.bootId === keeper.#bootId ? recorded : null;
    const server = record?.server ?? foundServer(parts);
    // A server that lives tells nobody anew where to listen; one that is started reads it from teal.yaml.
    const left = server !== null && isSameProcess(server) ? (record?.listeners ?? []) : [];
    keeper.#proxies.adopt(withFound(record?.proxies ?? [], parts), left, keeper.#stop.signal);
    await keeper.#instances.adopt(record?.instances ?? [], keeper.#stop.signal, parts.clock);
    keeper.#peers = await PeerServer.listen(parts.paths.keeperSocket, KEEPER_PROTOCOL, keeper.#handlers());
    keeper.#server.start(server, keeper.#stop.signal);
    void keeper.#rotateLogs();
    await keeper.#record.save();
    return keeper;
  }

  /** Drains the proxies, ends instances and server, and then the rest. The same again waits for the first. */
  down(drainMs: Milliseconds): Promise<void> {
    this.#down ??= this.#goDown(drainMs);
    return this.#down;
  }

  async #goDown(drainMs: Milliseconds): Promise<void> {
    const { log, paths } = this.#parts;
    this.#isGoingDown = true;
    log(`everything is going down; what is in flight has ${String(drainMs)} ms`);
    // Before the proxy drains: should this keeper die over it, the server is not to start another.
    await Promise.race([this.#record.save(), this.#parts.clock.sleep(INTENT_MS)]);
    await this.#proxies.drain(drainMs);
    await Promise.all([this.#instances.stopAll(), this.#server.stop()]);
    this.#stop.abort(new TealError("aborted", "the keeper ends"));
    await this.#record.save();
    void this.#parts.clock.sleep(LAST_WORDS_MS).then(async () => {
      await this.#peers?.close();
      for (const path of [paths.keeperSocket, paths.keeperRecord, paths.run])
        rmSync(path, { force: true, recursive: true });
      log("the keeper ends");
      this.#end.resolve();
    });
  }

  /**
   * See KEEPER_PROTOCOL, `keeper.replace`: for the next keeper it is as if this one had died, but that nothing is lost of
   * what the apps have printed. Calls that come meanwhile are cut by the end, and asked again of the next one.
   */
  #leaveTo(program: Program): void {
    if (isSameProgram(ownProgram(this.#parts), program)) return;
    const serving = this.#proxies.serving;
    const name = basename(program.runtime);
    if (serving?.runtime !== program.runtime) {
      throw new TealError("upgrade-failed", `no proxy of ${name} serves, which would start the keeper of ${name}`);
    }
    this.#refuseWhenDown();
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    void this.#leave(name).catch((thrown: unknown) => {
      this.#end.reject(thrown);
    });
  }

  async #leave(name: string): Promise<void> {
    const { log, clock } = this.#parts;
    log(`the keeper leaves to one from ${name}`);
    await clock.sleep(LAST_WORDS_MS);
    this.#stop.abort(new TealError("aborted", "another keeper takes over"));
    await this.#record.save();
    await this.#instances.handOver();
    this.#end.resolve();
  }

  #handlers(): Handlers<KeeperProtocol> {
    const { launch } = this.#parts;
    return {
      status: () => ({
        pid: process.pid,
        runtime: launch.runtime,
        node: ownNode(),
        afterHung: launch.afterHung ?? null,
        listeners: this.#proxies.listeners,
        proxies: this.#proxies.reports,
        server: this.#server.report,
      }),
      "listeners.ensure": async ({ listen, settings }) => {
        await this.#refuseWhenEnding();
        await this.#proxies.ensure(listen, settings);
        await this.#record.save();
        return { listeners: this.#proxies.listeners, proxies: this.#proxies.reports };
      },
      "instances.start": async ({ instances }) => {
        await this.#refuseWhenEnding();
        const reports = await this.#instances.start(instances);
        // What was answered outlives the keeper.
        await this.#record.save();
        return { instances: reports };
      },
      "instances.stop": async ({ ids }) => {
        await this.#refuseWhenEnding();
        await this.#instances.stop(ids);
        await this.#record.save();
        return {};
      },
      "instances.list": () => ({ instances: this.#instances.list() }),
      "proxy.replace": async (program) => {
        await this.#refuseWhenEnding();
        await this.#proxies.replace(program);
        await this.#record.save();
        return {};
      },
      "server.replace": async (program) => {
        await this.#refuseWhenEnding();
        await this.#server.replace(program);
        await this.#record.save();
        return {};
      },
      "keeper.replace": (program) => {
        this.#leaveTo(program);
        return {};
      },
      present: ({ pid }, { peer }) => {
        this.#parts.acquaintances.present(pid, peer);
        return {};
      },
      ping: () => ({}),
      down: async ({ drainMs }) => {
        if (this.#isLeaving) await this.#neverAnswered;
        await this.down(drainMs);
        return {};
      },
    };
  }

  async #refuseWhenEnding(): Promise<void> {
    this.#refuseWhenDown();
    // Never answered: the end of the connection tells the caller to ask the next keeper.
    if (this.#isLeaving) await this.#neverAnswered;
  }

  #refuseWhenDown(): void {
    if (this.#down !== null) throw new TealError("keeper-down", "everything is going down");
  }

  #current(): Buffer {
    const rest = {
      version: 1 as const,
      bootId: this.#bootId,
      listeners: this.#proxies.listeners,
      proxies: this.#proxies.records,
      server: this.#server.record,
      goingDown: this.#isGoingDown,
    };
    return printRecord(rest, this.#instances.records());
  }

  async #rotateLogs(): Promise<void> {
    try {
      for (;;) {
        await this.#parts.clock.sleep(ROTATE_EVERY_MS, this.#stop.signal);
        for (const program of ["server", "proxy"] as const) await rotateTealLog(tealLog(program, this.#parts));
      }
    } catch (thrown) {
      if (!this.#stop.signal.aborted) this.#parts.log(`logs are not rotated any more: ${String(thrown)}`);
    }
  }
}
