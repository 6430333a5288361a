import { rmSync } from "node:fs";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { TealError, toTealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Program, ProxyLaunch } from "../wire/launch.ts";
import type { Result } from "../wire/protocol.ts";
import type { KeeperProtocol } from "../wire/keeper.ts";
import { proxySettings } from "../wire/shapes.ts";
import { endGroup, killLeftovers } from "./end-group.ts";
import { watchHungProxy } from "./hung-proxy.ts";
import { Lanes } from "./lanes.ts";
import { keeperOfProxy, leftProxy } from "./left-proxy.ts";
import { findTeal } from "./orphans.ts";
import type { KeeperParts } from "./parts.ts";
import { readStat } from "../wire/process-stat.ts";
import { isSameProgram, ownProgram } from "./program.ts";
import { adoptProxy, longestLived, type ProxyProcess, startProxy, tellToDrain, untilAnswers } from "./proxy-process.ts";
import { removeDeadSockets } from "./proxy-sockets.ts";
import type { KeeperRecord } from "./record.ts";
import { doubled } from "./restart-policy.ts";
import { adoptSocket, type HeldSocket, holdSocket } from "./sockets.ts";
import { printExit } from "./watched-process.ts";

/** How long a replaced proxy may serve what it has when it does not say itself: the default of traffic.longLived. */
const REPLACED_DRAIN_MS: Milliseconds = 300_000;
/** Beyond its drain deadline, until it is ended by force. */
const DRAIN_GRACE_MS: Milliseconds = 2_000;
const STOP = { signal: "SIGTERM", timeoutMs: 2_000 } as const;
const HEALTHY_RESET_MS: Milliseconds = 10_000;

type Listeners = Result<KeeperProtocol, "listeners.ensure">["listeners"];
type Settings = ProxyLaunch["settings"];
type ProxyReports = Result<KeeperProtocol, "listeners.ensure">["proxies"];

/** The listening sockets, and the proxies on them: one that serves, and replaced ones that drain. */
export class Proxies {
  readonly #parts: KeeperParts;
  readonly #changed: () => void;
  readonly #ending = new AbortController();
  readonly #lane = new Lanes();
  #sockets: readonly HeldSocket[] = [];
  /** What the next proxy is started with. */
  #settings: Settings;
  #proxies: ProxyProcess[] = [];
  #failures = 0;
  /** What the next proxy is started from. */
  #program: Program;

  constructor(parts: KeeperParts, changed: () => void) {
    this.#parts = parts;
    this.#changed = changed;
    this.#settings = parts.launch.settings ?? proxySettings.parse({});
    this.#program = ownProgram(parts);
  }

  get listeners(): Listeners {
    return this.#sockets.map(({ listen, address }) => ({ listen, address }));
  }

  get reports(): ProxyReports {
    return this.#proxies.map(({ process, socket, draining, startedAt, program }) => ({
      pid: process.pid,
      socket,
      draining,
      startedAt,
      runtime: program.runtime,
    }));
  }

  get records(): KeeperRecord["proxies"] {
    return this.#proxies.map(({ process: { pid, startTicks }, startedAt, draining, listen, settings, program }) => ({
      pid,
      startTicks,
      startedAt,
      draining,
      listen: [...listen],
      settings,
      program,
    }));
  }

  /** What the proxy runs from that takes new connections; null: there is none. */
  get serving(): Program | null {
    return this.#serving?.program ?? null;
  }

  get #serving(): ProxyProcess | null {
    return this.#proxies.findLast(({ draining }) => !draining) ?? null;
  }

  /**
   * Takes over what an earlier keeper left; watches those proxies until `signal` aborts.
   * @param left the addresses that it listened on, to be bound again where no proxy has handed over its sockets
   * @throws `keeper-down` when a proxy serves and did not hand over its sockets: it starts a keeper of its own
   */
  adopt(recorded: KeeperRecord["proxies"], left: Listeners, signal: AbortSignal): void {
    const { inherited } = this.#parts.launch;
    const alive = recorded.flatMap((record) => adoptProxy(record, this.#parts, signal) ?? []);
    const serving = alive.filter(({ draining }) => !draining);
    const owner = serving.at(-1);
    if (inherited.length === 0 && owner !== undefined) throw this.#refusal(owner.process.pid);
    this.#sockets = inherited.length > 0 ? inherited.map(adoptSocket) : this.#heldAgain(left);
    this.#settings = owner?.settings ?? this.#settings;
    if (owner !== undefined) this.#program = owner.program;
    removeDeadSockets(this.#parts.paths, new Set(alive.map(({ process }) => process.pid)));
    for (const proxy of alive) this.#watch(proxy);
    // The last keeper died between the start of a new proxy and the drain of the one before.
    for (const proxy of serving.slice(0, -1)) void this.#replaced(proxy);
    if (owner === undefined && this.#sockets.length > 0) void this.#restart();
  }

  /** All or none: of an address that has been taken meanwhile the server hears when it asks for it again. */
  #heldAgain(left: Listeners): readonly HeldSocket[] {
    try {
      return holdAll(left);
    } catch (thrown) {
      this.#parts.log(`the sockets of the last keeper are not held again: ${toTealError(thrown).message}`);
      return [];
    }
  }

  #refusal(proxy: number): TealError {
    const [stat, self] = [readStat(proxy), readStat(process.pid)];
    const keepers = findTeal("keeper", this.#parts.paths.root);
    return leftProxy(proxy, stat === null || self === null ? null : keeperOfProxy(stat, keepers, self));
  }

  /** See KEEPER_PROTOCOL, `listeners.ensure`. All or nothing: when it throws, what was there before still serves. */
  ensure(listen: readonly string[], settings: Settings = this.#settings): Promise<void> {
    return this.#lane.run("proxies", () => this.#ensure([...new Set(listen)], settings));
  }

  /** See KEEPER_PROTOCOL, `proxy.replace`. @throws `upgrade-failed`; what served before still serves then */
  replace(program: Program): Promise<void> {
    return this.#lane.run("proxies", () => this.#replace(program));
  }

  /** Ends all: no new connections, then what is in flight has `drainMs`. */
  async drain(drainMs: Milliseconds): Promise<void> {
    this.#ending.abort(new TealError("aborted", "the keeper ends"));
    await this.#lane.run("proxies", async () => {
      await Promise.all(this.#proxies.map((proxy) => this.#retire(proxy, drainMs)));
      for (const socket of this.#sockets) socket.close();
      this.#sockets = [];
    });
  }

  async #ensure(listen: readonly string[], settings: Settings): Promise<void> {
    const before = this.#serving;
    if (
      before !== null &&
      isDeepStrictEqual(settings, before.settings) &&
      sameSet(listen, before.listen) &&
      sameSet(
        listen,
        this.#sockets.map((socket) => socket.listen),
      )
    )
      return;
    const kept = this.#sockets.filter((socket) => listen.includes(socket.listen));
    const missing = listen.filter((wanted) => !kept.some((socket) => socket.listen === wanted));
    const added = holdAll(missing.map((wanted) => ({ listen: wanted, address: wanted })));
    const sockets = [...kept, ...added];
    try {
      if (sockets.length > 0) await this.#startAnswering(sockets, settings, this.#program);
    } catch (thrown) {
      for (const socket of added) socket.close();
      throw thrown;
    }
    const unused = this.#sockets.filter((socket) => !kept.includes(socket));
    this.#sockets = sockets;
    this.#settings = settings;
    if (before !== null) void this.#replaced(before);
    for (const socket of unused) socket.close();
    this.#changed();
  }

  async #replace(program: Program): Promise<void> {
    const before = this.#serving;
    if (this.#ending.signal.aborted) throw new TealError("keeper-down", "everything is going down");
    if (before !== null && isSameProgram(before.program, program)) return;
    const name = basename(program.runtime);
    this.#parts.log(`the proxy is being replaced by one from ${name}`);
    try {
      if (this.#sockets.length > 0) await this.#startAnswering(this.#sockets, this.#settings, program);
    } catch (thrown) {
      const said = `the proxy of ${name} did not come up, and the old one goes on: ${toTealError(thrown).message}`;
      throw new TealError("upgrade-failed", said, { cause: thrown });
    }
    this.#program = program;
    if (before !== null) void this.#replaced(before);
    this.#changed();
  }

  async #startAnswering(sockets: readonly HeldSocket[], settings: Settings, program: Program): Promise<void> {
    const proxy = await startProxy(sockets, { settings, program }, this.#parts);
    this.#watch(proxy);
    try {
      await untilAnswers(proxy, this.#parts.clock);
    } catch (thrown) {
      proxy.draining = true;
      await endGroup(proxy.process, STOP, this.#parts.clock);
      throw thrown;
    }
  }

  #watch(proxy: ProxyProcess): void {
    const { clock, log } = this.#parts;
    this.#proxies.push(proxy);
    log(`the proxy runs as pid ${String(proxy.process.pid)} on ${proxy.listen.join(", ")}`);
    this.#changed();
    const gone = new AbortController();
    void watchHungProxy(proxy, this.#parts, () => this.#sockets, AbortSignal.any([gone.signal, this.#ending.signal]));
    void proxy.process.exited.then((exit) => {
      gone.abort(new TealError("aborted", "the proxy has ended"));
      killLeftovers(proxy.process.pid);
      this.#proxies = this.#proxies.filter((other) => other !== proxy);
      rmSync(proxy.socket, { force: true });
      log(`the proxy (pid ${String(proxy.process.pid)}) ${printExit(exit)}`);
      this.#changed();
      if (proxy.draining) return;
      this.#failures = clock.now() - proxy.startedAt >= HEALTHY_RESET_MS ? 0 : this.#failures + 1;
      void this.#restart();
    });
  }

  /** At once after it had served for long, else after 100 ms, doubling to 5 s; connections wait in the kernel's queue meanwhile. */
  async #restart(): Promise<void> {
    const { clock, log } = this.#parts;
    while (!this.#ending.signal.aborted) {
      try {
        if (this.#failures > 0) await clock.sleep(doubled(100, this.#failures, 5_000), this.#ending.signal);
        await this.#lane.run("proxies", async () => {
          if (this.#serving !== null || this.#sockets.length === 0 || this.#ending.signal.aborted) return;
          const wanted = { settings: this.#settings, program: this.#program };
          this.#watch(await startProxy(this.#sockets, wanted, this.#parts));
        });
        return;
      } catch (thrown) {
        if (this.#ending.signal.aborted) return;
        this.#failures += 1;
        log(`the proxy could not be started: ${toTealError(thrown).message}`);
      }
    }
  }

  /** Another serves in its place: what it has may take as long as its services allow a long-lived connection. */
  async #replaced(proxy: ProxyProcess): Promise<void> {
    proxy.draining = true;
    this.#changed();
    const ownMs = await longestLived(proxy).catch(() => null);
    await this.#retire(proxy, ownMs ?? REPLACED_DRAIN_MS);
  }

  /** Listed as draining until it has ended; by force when it does not in time, or cannot be told. Never rejects. */
  async #retire(proxy: ProxyProcess, deadlineMs: Milliseconds): Promise<void> {
    const { clock, log } = this.#parts;
    proxy.draining = true;
    this.#changed();
    try {
      await tellToDrain(proxy, deadlineMs);
      const late = new AbortController();
      const timer = clock.sleep(deadlineMs + DRAIN_GRACE_MS, late.signal).catch(() => undefined);
      await Promise.race([proxy.process.exited, timer]);
      late.abort();
    } catch (thrown) {
      log(`the proxy (pid ${String(proxy.process.pid)}) could not be told to drain: ${toTealError(thrown).message}`);
    }
    await endGroup(proxy.process, STOP, clock);
  }
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((entry) => b.includes(entry));
}

/** All or none. */
function holdAll(wanted: Listeners): HeldSocket[] {
  const held: HeldSocket[] = [];
  try {
    for (const { listen, address } of wanted) held.push(holdSocket(listen, address));
    return held;
  } catch (thrown) {
    for (const socket of held) socket.close();
    throw thrown;
  }
}
