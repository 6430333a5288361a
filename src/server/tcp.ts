import type { FastifyInstance } from "fastify";
import type { Tokens } from "../engine/tokens.ts";
import { TealError } from "../model/error.ts";
import type { Clock, Milliseconds } from "../model/time.ts";

/** More connections than people and pipelines have; descriptors are for the apps. */
const MOST_CONNECTIONS = 256;
const LOOK_EVERY_MS: Milliseconds = 15_000;

export interface TcpParts {
  /** `127.0.0.1:8325`, `[::1]:0`. */
  readonly listen: string;
  readonly tokens: Tokens;
  /** A server for this channel, not listening yet. */
  readonly make: () => FastifyInstance;
  readonly clock: Clock;
  /** Told of a problem when it appears. */
  readonly report: (problem: TealError) => void;
}

/** Where the API answers over TCP, and why it does not where it should. */
export interface TcpState {
  readonly address: string | null;
  readonly problem: TealError | null;
}

/**
 * The API over TCP: there while a token is that opens it. An address that is taken is tried again; the API over the unix
 * socket does not depend on it.
 */
export class TcpApi {
  readonly #parts: TcpParts;
  #app: FastifyInstance | null = null;
  #state: TcpState = { address: null, problem: null };
  #turn: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(parts: TcpParts) {
    this.#parts = parts;
  }

  get state(): TcpState {
    return this.#state;
  }

  /** Comes or goes as the tokens say; one at a time. */
  settle(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#settle());
    return this.#turn;
  }

  /** Looks after expired tokens, and an address that was taken, until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, tokens } = this.#parts;
    while (!signal.aborted) {
      try {
        await clock.sleep(LOOK_EVERY_MS, signal);
      } catch {
        // The signal: nothing else ends a sleep.
        return;
      }
      tokens.sweep();
    }
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.settle();
  }

  async #settle(): Promise<void> {
    const wanted = this.#parts.tokens.usable && !this.#ended;
    if (wanted && this.#app === null) await this.#open();
    if (wanted) return;
    const app = this.#app;
    this.#app = null;
    this.#state = { address: null, problem: null };
    await app?.close();
  }

  async #open(): Promise<void> {
    const { listen, make, report } = this.#parts;
    const app = make();
    app.server.maxConnections = MOST_CONNECTIONS;
    try {
      await app.listen(addressOf(listen));
    } catch (cause) {
      await app.close();
      const problem = listenProblem(listen, cause);
      if (this.#state.problem?.message !== problem.message) report(problem);
      this.#state = { address: null, problem };
      return;
    }
    this.#app = app;
    this.#state = { address: boundAddress(app, listen), problem: null };
  }
}

function addressOf(listen: string): { readonly host: string; readonly port: number } {
  const colon = listen.lastIndexOf(":");
  return { host: listen.slice(0, colon).replaceAll(/[[\]]/g, ""), port: Number(listen.slice(colon + 1)) };
}

function boundAddress(app: FastifyInstance, listen: string): string {
  const bound = app.server.address();
  if (bound === null || typeof bound === "string") return listen;
  return `${listen.slice(0, listen.lastIndexOf(":"))}:${String(bound.port)}`;
}

function listenProblem(listen: string, cause: unknown): TealError {
  const code = cause instanceof Error && "code" in cause ? cause.code : "";
  const why = cause instanceof Error ? cause.message : String(cause);
  const remedy = "Stop what listens there, or change server.listen in teal.yaml; Teal goes on over its unix socket.";
  if (code === "EADDRINUSE")
    return new TealError("port-taken", `the API cannot listen on ${listen}: it is taken`, { cause, remedy });
  return new TealError("port-taken", `the API cannot listen on ${listen}: ${why}`, { cause, remedy });
}
