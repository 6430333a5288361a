import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Ledger } from "./ledger.ts";
import type { Load } from "./load-generator.ts";
import type { LostReason, Outcome } from "./outcome.ts";

interface WebSocketOptions {
  readonly url: string;
  readonly ledger: Ledger;
  /** Sockets that stay open as long as the load. */
  readonly kept: number;
  /** Sockets that are closed by us after `livesMs`, and opened anew. */
  readonly renewed: number;
  readonly livesMs: number;
  /** Between an echo and the next message of a socket. */
  readonly pauseMs: number;
  /** For a handshake, an echo, and the answer to a close. */
  readonly timeoutMs: number;
}

type Lost = Extract<Outcome, { kind: "lost" }>;

/** RFC 6455, 7.4.1: a normal end. */
const NORMAL = 1_000;
const AGAIN_MS = 50;
const MOST_BYTES = 16_384;

/**
 * WebSockets to the echo of examples/web-node, none of which is due to be closed by the other side. In the ledger a
 * `websocket` is lost when it does not open, or ends in any way but by our own close with its answer; a
 * `websocket-message` when its echo does not come back as it was.
 */
export class WebSocketLoad implements Load {
  readonly ledger: Ledger;
  readonly #options: WebSocketOptions;
  readonly #stop = new AbortController();
  readonly #loops: Promise<void>[];
  #sockets = 0;

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.ledger = options.ledger;
    const lives = [
      ...Array.from({ length: options.kept }, () => Infinity),
      ...Array.from({ length: options.renewed }, () => options.livesMs),
    ];
    this.#loops = lives.map((livesMs) => this.#loop(livesMs));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  async #loop(livesMs: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#sockets += 1;
      const id = `w${String(this.#sockets)}`;
      const begunAt = performance.now();
      const outcome = await this.#live(id, begunAt + livesMs);
      this.ledger.record({ id, kind: "websocket", method: "GET", body: null }, outcome, performance.now() - begunAt);
      if (outcome.kind === "lost") await sleep(AGAIN_MS);
    }
  }

  /** One socket from its handshake to its end. */
  async #live(id: string, until: number): Promise<Outcome> {
    const { timeoutMs, pauseMs } = this.#options;
    const socket = new EchoSocket(this.#options.url, timeoutMs);
    const fault = await socket.opened;
    if (fault !== null) return fault;
    for (let n = 0; performance.now() < until && !this.#stop.signal.aborted && socket.lost === null; n += 1) {
      const message = `${id}-${String(n)} ${"x".repeat(randomBytes(2).readUInt16BE() % MOST_BYTES)}`;
      const begunAt = performance.now();
      const outcome = await socket.echo(message);
      this.ledger.record(
        { id: `${id}-${String(n)}`, kind: "websocket-message", method: "GET", body: null },
        outcome,
        performance.now() - begunAt,
      );
      await sleep(pauseMs);
    }
    return socket.close();
  }
}

/** A client's socket, with all that may end it as outcomes. */
class EchoSocket {
  readonly opened: Promise<Lost | null>;
  /** Why it is no more, unless we closed it. */
  lost: Lost | null = null;
  readonly #socket: WebSocket;
  readonly #timeoutMs: number;
  readonly #closed = Promise.withResolvers<void>();
  #version = "";
  #isClosing = false;
  #echoed: ((message: string | null) => void) | null = null;

  constructor(url: string, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    const address = `${url.replace(/^http/, "ws")}/echo`;
    this.#socket = new WebSocket(address, { handshakeTimeout: timeoutMs, perMessageDeflate: false });
    const opened = Promise.withResolvers<Lost | null>();
    this.opened = opened.promise;
    this.#socket.on("upgrade", ({ headers }: IncomingMessage) => {
      this.#version = String(headers["x-version"]);
    });
    this.#socket.on("open", () => {
      opened.resolve(null);
    });
    this.#socket.on("unexpected-response", (_request, { statusCode, headers }: IncomingMessage) => {
      const isTeals = headers["teal-error"] !== undefined;
      this.#lose(isTeals ? "teal-error" : "wrong-body", `${String(statusCode)} ${String(headers["teal-error"] ?? "")}`);
      this.#socket.terminate();
    });
    this.#socket.on("error", (error: NodeJS.ErrnoException) => {
      const isRefused = error.code === "ECONNREFUSED";
      this.#lose(isRefused ? "refused" : "reset", error.message);
    });
    this.#socket.on("message", (data: Buffer) => this.#echoed?.(data.toString("utf8")));
    this.#socket.on("close", (code) => {
      if (!this.#isClosing || code !== NORMAL) this.#lose("reset", `closed with ${String(code)}`);
      opened.resolve(this.lost);
      this.#echoed?.(null);
      this.#closed.resolve();
    });
  }

  async echo(message: string): Promise<Outcome> {
    const came = new Promise<string | null>((resolve) => {
      this.#echoed = resolve;
    });
    const timer = setTimeout(() => {
      this.#lose("timeout", "no echo in time");
      this.#socket.terminate();
    }, this.#timeoutMs);
    this.#socket.send(message, () => undefined); // A failure is followed by "close".
    if (this.#socket.readyState !== WebSocket.OPEN) this.#echoed?.(null);
    const echoed = await came;
    clearTimeout(timer);
    this.#echoed = null;
    if (echoed === null) return this.lost ?? lost("reset", "closed before the echo");
    return echoed === message
      ? { kind: "ok", version: this.#version }
      : lost("wrong-body", "another message came back");
  }

  async close(): Promise<Outcome> {
    this.#isClosing = this.lost === null;
    this.#socket.close(NORMAL);
    const timer = setTimeout(() => {
      this.#lose("timeout", "the close was not answered");
      this.#socket.terminate();
    }, this.#timeoutMs);
    await this.#closed.promise;
    clearTimeout(timer);
    return this.lost ?? { kind: "ok", version: this.#version };
  }

  /** The first reason is the one that counts. */
  #lose(reason: LostReason, detail: string): void {
    this.lost ??= lost(reason, detail);
  }
}

function lost(reason: LostReason, detail: string): Lost {
  return { kind: "lost", reason, detail };
}
