import { type Agent, type IncomingHttpHeaders, request } from "node:http";
import type { Socket } from "node:net";
import type { RequestWish } from "./wish.ts";

/** What happened to one request on the wire, before any judgement. */
export type Exchange =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly body: Buffer;
      /** Whether the whole body came, by Content-Length or the last chunk. */
      readonly complete: boolean;
    }
  | {
      readonly kind: "error";
      readonly code: string;
      /** queued: no connection was free yet; nothing was attempted. */
      readonly phase: "queued" | "connecting" | "waiting";
      /** Whether the connection had been idle beyond what its server announced. */
      readonly staleConnection: boolean;
    }
  | { readonly kind: "timeout"; readonly phase: "queued" | "connecting" | "waiting" | "answering" }
  | { readonly kind: "cancelled" };

/** How long each kept connection has been idle, and how long its server promised to keep it. */
class IdleTimes {
  readonly #known = new WeakMap<Socket, { readonly since: number; readonly announcedMs: number }>();

  rest(socket: Socket, headers: IncomingHttpHeaders): void {
    // Without an announcement nothing excuses a close: Infinity.
    const announced = /timeout=(\d+)/.exec(String(headers["keep-alive"] ?? ""))?.[1];
    const announcedMs = announced === undefined ? Number.POSITIVE_INFINITY : Number(announced) * 1_000;
    this.#known.set(socket, { since: performance.now(), announcedMs });
  }

  isStale(socket: Socket): boolean {
    const known = this.#known.get(socket);
    return known !== undefined && performance.now() - known.since > known.announcedMs;
  }
}

export interface Wire {
  readonly agent: Agent;
  readonly target: URL;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Sent {
  readonly exchange: Exchange;
  /** Number of the connection that it went out on, of this sender; null: none. */
  readonly connection: number | null;
}

/** Sends requests on kept connections. Never rejects: whatever happens is an {@link Exchange}. */
export class Sender {
  readonly #wire: Wire;
  readonly #connections = new WeakMap<Socket, number>();
  #lastConnection = 0;
  readonly #idle = new IdleTimes();

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async send(wish: RequestWish): Promise<Sent> {
    const { agent, target, timeoutMs, signal } = this.#wire;
    if (signal.aborted) return { exchange: { kind: "cancelled" }, connection: null };
    const done = Promise.withResolvers<Exchange>();
    let phase: "queued" | "connecting" | "waiting" | "answering" = "queued";
    let staleConnection = false;
    let connection: number | null = null;
    const call = request(new URL(wish.path, target), { agent, method: wish.method, headers: wish.headers });
    const timer = setTimeout(() => {
      done.resolve({ kind: "timeout", phase });
      call.destroy();
    }, timeoutMs);
    const cancel = (): void => {
      done.resolve({ kind: "cancelled" });
      call.destroy();
    };
    signal.addEventListener("abort", cancel, { once: true });
    call.once("socket", (socket) => {
      // Begun only now: the time in the generator's own queue is not the other side's.
      timer.refresh();
      connection = this.#numberOf(socket);
      staleConnection = call.reusedSocket && this.#idle.isStale(socket);
      phase = socket.connecting ? "connecting" : "waiting";
      if (!socket.connecting) return;
      socket.once("connect", () => {
        if (phase === "connecting") phase = "waiting";
      });
    });
    // Stays on for good: a reset may follow the answer to a request whose body was not taken whole.
    call.on("error", (error: NodeJS.ErrnoException) => {
      if (phase !== "answering")
        done.resolve({ kind: "error", code: error.code ?? error.message, phase, staleConnection });
    });
    call.once("response", (answer) => {
      phase = "answering";
      const { statusCode: status = 0, headers, socket } = answer;
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", () => undefined); // "close" tells it, with `complete` false.
      answer.once("close", () => {
        this.#idle.rest(socket, headers);
        done.resolve({ kind: "answer", status, headers, body: Buffer.concat(chunks), complete: answer.complete });
      });
    });
    write(call, wish);
    const exchange = await done.promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
    return { exchange, connection };
  }

  #numberOf(socket: Socket): number {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    this.#lastConnection += 1;
    this.#connections.set(socket, this.#lastConnection);
    return this.#lastConnection;
  }
}

function write(call: ReturnType<typeof request>, wish: RequestWish): void {
  if (wish.body === null) {
    call.end();
    return;
  }
  if (!wish.chunked) {
    call.end(wish.body);
    return;
  }
  // In three writes, so that it is sent in more than one chunk.
  const third = Math.ceil(wish.body.length / 3);
  for (let at = 0; at < wish.body.length; at += third) call.write(wish.body.subarray(at, at + third));
  call.end();
}
