import { TealError, toTealError } from "../../../model/error.ts";
import type { Clock, EpochMilliseconds, Milliseconds } from "../../../model/time.ts";
import type { CallOptions } from "../../../wire/peer.ts";
import type { KeeperProtocol } from "../../../wire/keeper.ts";
import type { CallName, Notice, NoticeName, Params, Result } from "../../../wire/protocol.ts";
import { PROXY_PROTOCOL, type ProxyProtocol } from "../../../wire/proxy.ts";
import { ReconnectingPeer } from "../../../wire/reconnecting.ts";
import { ToldObservations } from "./told-observations.ts";

const PING_EVERY_MS: Milliseconds = 1_000;
const ASK_AGAIN_MS: Milliseconds = 1_000;
/** A new proxy accepts connections a little before it is first reached; for so long a change waits for one that is starting. */
const STARTING_MS: Milliseconds = 3_000;

type ProxyRow = Notice<KeeperProtocol, "proxies">["proxies"][number];

/** One proxy that lives, as the keeper says. */
export interface ProxyLink {
  readonly pid: number;
  readonly peer: ReconnectingPeer<ProxyProtocol>;
  readonly told: ToldObservations;
  draining: boolean;
  /** When the keeper started it. */
  readonly startedAt: EpochMilliseconds;
  /** When it was first heard of, by the monotonic clock. */
  readonly knownSince: Milliseconds;
  /** When it was first reached; null: not yet. */
  connectedAt: EpochMilliseconds | null;
}

export interface ProxySetOptions {
  readonly keeper: ReconnectingPeer<KeeperProtocol>;
  readonly clock: Clock;
  readonly onConnected: (link: ProxyLink) => void;
  readonly onGone: (pid: number) => void;
}

/** Connections to all proxies that live: one as a rule, more while one replaces another. */
export class ProxySet {
  readonly #options: ProxySetOptions;
  readonly #links = new Map<number, ProxyLink>();
  readonly #listeners: ((link: ProxyLink) => void)[] = [];
  readonly #ended = new AbortController();
  #waiting = Promise.withResolvers<void>();

  constructor(options: ProxySetOptions) {
    this.#options = options;
    options.keeper.onNotice("proxies", ({ proxies }) => {
      this.#know(proxies);
    });
    options.keeper.onConnected(() => void this.#ask());
    void this.#ping();
  }

  /** Those that can be called now; the one that stays comes first. */
  get connected(): readonly ProxyLink[] {
    const links = [...this.#links.values()].filter(({ peer }) => peer.connected);
    return links.toSorted((a, b) => Number(a.draining) - Number(b.draining) || b.pid - a.pid);
  }

  onNotice<N extends NoticeName<ProxyProtocol>>(
    notice: N,
    listener: (params: Notice<ProxyProtocol, N>, link: ProxyLink) => void,
  ): void {
    const register = (link: ProxyLink): void => {
      link.peer.onNotice(notice, (params) => {
        link.told.heard();
        listener(params, link);
      });
    };
    this.#listeners.push(register);
    for (const link of this.#links.values()) register(link);
  }

  /**
   * The same call to all that live, and their answers, the one that stays first. One that ends meanwhile drops out; when
   * none is left, waits for another within the timeout.
   * @throws `data-plane-down`, and whatever a proxy throws
   */
  call<M extends CallName<ProxyProtocol>>(
    method: M,
    params: Params<ProxyProtocol, M>,
    options: Required<CallOptions>,
  ): Promise<[Result<ProxyProtocol, M>, ...Result<ProxyProtocol, M>[]]> {
    return this.#callAll(() => this.connected, method, params, options);
  }

  /** As {@link call}, and to one that is just starting as well: it may carry traffic before it is first reached. */
  callWithStarting<M extends CallName<ProxyProtocol>>(
    method: M,
    params: Params<ProxyProtocol, M>,
    options: Required<CallOptions>,
  ): Promise<[Result<ProxyProtocol, M>, ...Result<ProxyProtocol, M>[]]> {
    return this.#callAll(() => [...this.connected, ...this.#starting], method, params, options);
  }

  get #starting(): readonly ProxyLink[] {
    const now = this.#options.clock.monotonic();
    return [...this.#links.values()].filter(
      ({ connectedAt, draining, knownSince }) => connectedAt === null && !draining && now - knownSince < STARTING_MS,
    );
  }

  async #callAll<M extends CallName<ProxyProtocol>>(
    links: () => readonly ProxyLink[],
    method: M,
    params: Params<ProxyProtocol, M>,
    options: Required<CallOptions>,
  ): Promise<[Result<ProxyProtocol, M>, ...Result<ProxyProtocol, M>[]]> {
    const until = this.#options.clock.monotonic() + options.timeoutMs;
    const answers: Result<ProxyProtocol, M>[] = [];
    const asked = new Set<ProxyLink>();
    for (;;) {
      const next = links().filter((link) => !asked.has(link));
      const [first, ...rest] = answers;
      // Asked until nobody new has come meanwhile: one that connects later finds what was applied in the driver's memory.
      if (next.length === 0 && first !== undefined) return [first, ...rest];
      if (next.length === 0) {
        asked.clear();
        await this.#untilConnected(until, options.signal);
        continue;
      }
      for (const link of next) asked.add(link);
      answers.push(...(await this.#callEach(next, method, params, { ...options, until })));
    }
  }

  async #callEach<M extends CallName<ProxyProtocol>>(
    links: readonly ProxyLink[],
    method: M,
    params: Params<ProxyProtocol, M>,
    { signal, until }: { signal: AbortSignal; until: Milliseconds },
  ): Promise<Result<ProxyProtocol, M>[]> {
    const leftMs = Math.max(1, until - this.#options.clock.monotonic());
    const outcomes = await Promise.allSettled(
      links.map(({ peer, connectedAt }) => {
        const timeoutMs = connectedAt === null ? Math.min(leftMs, STARTING_MS) : leftMs;
        return peer.call(method, params, { signal, timeoutMs });
      }),
    );
    const refusals = outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [toTealError(outcome.reason)] : [],
    );
    const refused = refusals.find((error) => error.code !== "data-plane-down");
    if (refused !== undefined) throw refused;
    return outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  }

  close(): void {
    this.#ended.abort();
    for (const { peer } of this.#links.values()) peer.close();
    this.#links.clear();
  }

  /** Asked at each connect; notices tell the rest. Asked again when the answer fails, unless the connection has ended. */
  async #ask(): Promise<void> {
    const { keeper, clock } = this.#options;
    while (keeper.connected && !this.#ended.signal.aborted) {
      try {
        const { proxies } = await keeper.call("status", {}, { signal: this.#ended.signal });
        this.#know(proxies);
        return;
      } catch {
        await clock.sleep(ASK_AGAIN_MS, this.#ended.signal).catch(() => undefined);
      }
    }
  }

  #know(proxies: readonly ProxyRow[]): void {
    if (this.#ended.signal.aborted) return;
    const pids = new Set(proxies.map(({ pid }) => pid));
    for (const { pid, peer } of this.#links.values()) {
      if (pids.has(pid)) continue;
      this.#links.delete(pid);
      peer.close();
      this.#options.onGone(pid);
    }
    for (const row of proxies) {
      const known = this.#links.get(row.pid);
      if (known === undefined) this.#connect(row);
      else known.draining = row.draining;
    }
  }

  #connect({ pid, socket, draining, startedAt }: ProxyRow): void {
    const { clock } = this.#options;
    const told = new ToldObservations(clock);
    const peer = new ReconnectingPeer({
      path: socket,
      protocol: PROXY_PROTOCOL,
      down: "data-plane-down",
      clock,
      onDisconnect: () => {
        told.forget();
      },
    });
    const knownSince = clock.monotonic();
    const link: ProxyLink = { pid, peer, told, draining, startedAt, knownSince, connectedAt: null };
    this.#links.set(pid, link);
    for (const register of this.#listeners) register(link);
    peer.onConnected(() => {
      link.connectedAt ??= clock.now();
      this.#waiting.resolve();
      this.#waiting = Promise.withResolvers();
      this.#options.onConnected(link);
    });
  }

  async #untilConnected(until: Milliseconds, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (this.connected.length === 0) {
      signal.throwIfAborted();
      this.#ended.signal.throwIfAborted();
      const leftMs = until - clock.monotonic();
      if (leftMs <= 0) throw new TealError("data-plane-down", "no proxy is running");
      const over = new AbortController();
      const limit = clock
        .sleep(leftMs, AbortSignal.any([over.signal, signal, this.#ended.signal]))
        .catch(() => undefined);
      await Promise.race([this.#waiting.promise, limit]);
      over.abort();
    }
  }

  /** A server with nothing to say must be heard all the same (onControllerLoss). */
  async #ping(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      for (const { peer, told } of this.connected) {
        const answer = peer.call("ping", {}, { timeoutMs: PING_EVERY_MS });
        // Its connection's end, or the next call, tells what a lost ping would.
        answer.then(
          () => {
            told.heard();
          },
          () => undefined,
        );
      }
      await this.#options.clock.sleep(PING_EVERY_MS, this.#ended.signal).catch(() => undefined);
    }
  }
}
