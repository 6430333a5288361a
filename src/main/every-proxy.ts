import { connect } from "node:net";
import { findTeal } from "../keeper/orphans.ts";
import { toTealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";
import type { Weights } from "../model/traffic.ts";
import { connectPeer } from "../wire/connect.ts";
import type { StatePaths } from "../wire/paths.ts";
import type { CallOptions, Peer } from "../wire/peer.ts";
import { readProc, readStat } from "../wire/process-stat.ts";
import { PROXY_PROTOCOL, type ProxyProtocol } from "../wire/proxy.ts";
import { type ProxySocket, proxySockets } from "../wire/proxy-sockets.ts";
import { stateWords } from "../wire/watch-heartbeat.ts";
import { until } from "./keeper-client.ts";

/** One call to a process of this machine. */
export const CALL_MS: Milliseconds = 2_000;
/** Once one has answered, the others have so long before it is acted without them; they follow. */
const OTHERS_MS: Milliseconds = 250;
/** One that is about to end may have closed its socket already. */
const ENDING_MS: Milliseconds = 1_000;

export interface Armed {
  readonly service: string;
  readonly deployment: string;
  readonly revertTo: Weights;
}

/** A proxy that answers. */
export interface ToldProxy {
  readonly peer: Peer<ProxyProtocol>;
  readonly isDraining: boolean;
  readonly armed: readonly Armed[];
}

/** One that lives, or may live, and does not answer. */
export interface SilentProxy {
  readonly pid: number;
  readonly why: string;
}

/** Every proxy of a state directory, each asked by itself: one that hangs keeps no other waiting for long. */
export class EveryProxy implements Disposable {
  readonly #paths: StatePaths;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #over = new AbortController();
  readonly #asked: readonly { readonly socket: ProxySocket; readonly answer: Promise<ToldProxy> }[];
  readonly #told: ToldProxy[] = [];
  readonly #answering = new Set<number>();
  readonly #problems = new Map<ProxySocket, unknown>();
  readonly #first = Promise.withResolvers<undefined>();

  /** @throws `forbidden`, `state-directory` where the sockets cannot be listed */
  constructor(paths: StatePaths, clock: Clock, signal: AbortSignal) {
    this.#paths = paths;
    this.#clock = clock;
    this.#signal = AbortSignal.any([signal, this.#over.signal]);
    this.#asked = proxySockets(paths).map((socket) => ({ socket, answer: this.#ask(socket) }));
    void this.all();
  }

  get limits(): CallOptions {
    return { signal: this.#signal, timeoutMs: CALL_MS };
  }

  /** Those that have answered until the first one was waited for, and a moment longer for the others. */
  async soon(): Promise<readonly ToldProxy[]> {
    const all = this.all();
    const enough = new AbortController();
    await Promise.race([all, this.#first.promise]);
    await Promise.race([all, this.#clock.sleep(OTHERS_MS, enough.signal).catch(() => undefined)]);
    enough.abort();
    return [...this.#told];
  }

  /** All that answer. */
  async all(): Promise<readonly ToldProxy[]> {
    await Promise.allSettled(this.#asked.map(({ answer }) => answer));
    return this.#told;
  }

  /** The same to each, as soon as it has answered at all: what came of it, where something did. */
  async each<T>(act: (proxy: ToldProxy) => Promise<T>): Promise<readonly T[]> {
    const done = this.#asked.map(async ({ socket, answer }) => {
      try {
        return [await act(await answer)];
      } catch (thrown) {
        this.#problems.set(socket, thrown);
        return [];
      }
    });
    const results = (await Promise.all(done)).flat();
    this.#signal.throwIfAborted();
    return results;
  }

  /**
   * Those that live and have not answered, or not answered everything. A socket's file may outlive its process.
   * @throws `forbidden` where one is another user's
   */
  async silent(): Promise<readonly SilentProxy[]> {
    await this.all();
    const foreign = [...this.#problems.values()].map(toTealError).find(({ code }) => code === "forbidden");
    if (foreign !== undefined) throw foreign;
    const held = await Promise.all(
      [...this.#problems.keys()].map(async (one) => ((await isHeld(one.path)) ? [one] : [])),
    );
    const withSocket = held.flat().map((one) => ({ pid: one.pid, why: this.#whyOf(one) }));
    const known = new Set([...this.#answering, ...withSocket.map(({ pid }) => pid)]);
    const strangers = findTeal("proxy", this.#paths.root).filter(({ pid }) => !known.has(ownPid(pid)));
    const left = (): typeof strangers => strangers.filter((one) => readStat(one.pid)?.startTicks === one.startTicks);
    await until(() => left().length === 0, ENDING_MS, this.#clock, this.#signal);
    return [...withSocket, ...left().map(({ pid }) => ({ pid, why: "nothing listens on its control socket" }))];
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    for (const { peer } of this.#told) peer.close();
  }

  async #ask(socket: ProxySocket): Promise<ToldProxy> {
    try {
      const peer = await connectPeer(socket.path, PROXY_PROTOCOL, { down: "data-plane-down", ...this.limits });
      const told = await toldBy(peer, this.limits).catch((thrown: unknown) => {
        peer.close();
        throw thrown;
      });
      this.#told.push(told);
      this.#answering.add(socket.pid);
      this.#first.resolve(undefined);
      return told;
    } catch (thrown) {
      this.#problems.set(socket, thrown);
      throw thrown;
    }
  }

  #whyOf(socket: ProxySocket): string {
    const state = readStat(socket.pid)?.state;
    return state === "T" ? stateWords(state) : toTealError(this.#problems.get(socket)).message;
  }
}

async function toldBy(peer: Peer<ProxyProtocol>, limits: CallOptions): Promise<ToldProxy> {
  const { draining } = await peer.call("ping", {}, limits);
  // Version 1 has no list; such a proxy is told of what the others have armed.
  const { services } = peer.version < 2 ? { services: [] } : await peer.call("services", {}, limits);
  const seen = await Promise.all(
    services.map(async (service) => ({ service, ...(await peer.call("observe", { service }, limits)) })),
  );
  const armed = seen.flatMap(({ service, armed: one }) => (one === null ? [] : [{ service, ...one }]));
  return { peer, isDraining: draining, armed };
}

/** Whether a process listens there, though it may never accept; unix(7): ECONNREFUSED where none does. */
function isHeld(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (thrown: NodeJS.ErrnoException) => {
      resolve(thrown.code !== "ECONNREFUSED" && thrown.code !== "ENOENT");
    });
  });
}

/** By which a process calls itself, and so its socket: in a container that is another (proc_pid_status(5), NSpid). */
function ownPid(pid: number): number {
  const own = /^NSpid:.*\s(\d+)$/m.exec(readProc(`${String(pid)}/status`) ?? "")?.[1];
  return own === undefined ? pid : Number(own);
}
