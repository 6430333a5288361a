import { rmSync } from "node:fs";
import { TealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import { PeerServer } from "../wire/connect.ts";
import { KEEPER_PROTOCOL, type KeeperProtocol } from "../wire/keeper.ts";
import { proxyLaunch } from "../wire/launch.ts";
import type { Handlers } from "../wire/peer.ts";
import { Instances } from "./instances.ts";
import type { KeeperParts } from "./parts.ts";
import { findTeal } from "./orphans.ts";
import { Ports } from "./ports.ts";
import { bootId } from "./procfs.ts";
import { Proxies } from "./proxies.ts";
import { type KeeperRecord, loadRecord, type ProcessRecord, type ProxyRecord, RecordFile } from "./record.ts";
import { ServerProcess } from "./server-process.ts";
import { rotateTealLog, tealLog } from "./spawn-teal.ts";

const ROTATE_EVERY_MS: Milliseconds = 60_000;
/** So that the answer to `down` reaches whoever asked. */
const LAST_WORDS_MS: Milliseconds = 100;

/** The recorded proxies, and those that the last keeper had started and not recorded yet when it died: they are the newest. */
function withFound(recorded: readonly ProxyRecord[], { paths, clock }: KeeperParts): ProxyRecord[] {
  const known = new Set(recorded.map(({ pid, startTicks }) => `${String(pid)} ${String(startTicks)}`));
  const found = findTeal("proxy", paths.root).flatMap(({ pid, startTicks, launch }): ProxyRecord[] => {
    const parsed = proxyLaunch.safeParse(launch);
    if (!parsed.success || known.has(`${String(pid)} ${String(startTicks)}`)) return [];
    const listen = parsed.data.listeners.map((listener) => listener.listen);
    return [{ pid, startTicks, startedAt: clock.now(), draining: false, listen, settings: parsed.data.settings }];
  });
  return [...recorded, ...found];
}

function foundServer({ paths, clock }: KeeperParts): ProcessRecord | null {
  const found = findTeal("server", paths.root)[0];
  return found === undefined ? null : { pid: found.pid, startTicks: found.startTicks, startedAt: clock.now() };
}

/** The one long-lived process of a state directory: its sockets, its proxies, the server and the instances. */
export class Keeper {
  /** Resolves when everything has ended after {@link down}. */
  readonly ended: Promise<void>;
  readonly #end = Promise.withResolvers<void>();
  readonly #parts: KeeperParts;
  readonly #stop = new AbortController();
  readonly #bootId = bootId();
  readonly #record: RecordFile;
  readonly #instances: Instances;
  readonly #proxies: Proxies;
  readonly #server: ServerProcess;
  #peers: PeerServer<KeeperProtocol> | null = null;
  #down: Promise<void> | null = null;

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
    keeper.#proxies.adopt(withFound(record?.proxies ?? [], parts), keeper.#stop.signal);
    await keeper.#instances.adopt(record?.instances ?? [], keeper.#stop.signal, parts.clock);
    keeper.#peers = await PeerServer.listen(parts.paths.keeperSocket, KEEPER_PROTOCOL, keeper.#handlers());
    keeper.#server.start(record?.server ?? foundServer(parts), keeper.#stop.signal);
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
    log(`everything is going down; what is in flight has ${String(drainMs)} ms`);
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

  #handlers(): Handlers<KeeperProtocol> {
    const { launch } = this.#parts;
    return {
      status: () => ({
        pid: process.pid,
        runtime: launch.runtime,
        listeners: this.#proxies.listeners,
        proxies: this.#proxies.reports,
        server: this.#server.report,
      }),
      "listeners.ensure": async ({ listen, settings }) => {
        this.#refuseWhenDown();
        await this.#proxies.ensure(listen, settings);
        await this.#record.save();
        return { listeners: this.#proxies.listeners, proxies: this.#proxies.reports };
      },
      "instances.start": async ({ instances }) => {
        this.#refuseWhenDown();
        const reports = await this.#instances.start(instances);
        // What was answered outlives the keeper.
        await this.#record.save();
        return { instances: reports };
      },
      "instances.stop": async ({ ids }) => {
        await this.#instances.stop(ids);
        await this.#record.save();
        return {};
      },
      "instances.list": () => ({ instances: this.#instances.list() }),
      down: async ({ drainMs }) => {
        await this.down(drainMs);
        return {};
      },
    };
  }

  #refuseWhenDown(): void {
    if (this.#down !== null) throw new TealError("keeper-down", "everything is going down");
  }

  #current(): KeeperRecord {
    return {
      version: 1,
      bootId: this.#bootId,
      listeners: this.#proxies.listeners,
      proxies: this.#proxies.records,
      server: this.#server.record,
      instances: this.#instances.records(),
    };
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
