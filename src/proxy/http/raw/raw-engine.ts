import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { spreadOf } from "../../../model/drain.ts";
import type { ProxySettings } from "../../../model/proxy-settings.ts";
import type { Milliseconds, Random } from "../../../model/time.ts";
import type { AccessSink } from "../access-entry.ts";
import type { Dispatcher, EngineDoor, HttpEngine } from "../engine.ts";
import { Networks } from "../networks.ts";
import { ClientConnection } from "./client-connection.ts";
import type { EngineContext } from "./context.ts";
import { BACKLOG, LEAVE_MS } from "./limits.ts";
import { newTraceparent } from "./message/trace-context.ts";
import type { ForwardingRules } from "./message/types.ts";
import { Outbox } from "./outbox.ts";
import { accept } from "./socket.ts";
import { Sweeper } from "./sweeper.ts";
import { UpstreamPool } from "./upstream-pool.ts";

interface RawEngineOptions {
  readonly dispatcher: Dispatcher;
  /** Monotonic milliseconds. */
  readonly now: () => Milliseconds;
  readonly random: Random;
  readonly onError: (what: string, error: Error) => void;
  readonly settings: ProxySettings;
  readonly door: EngineDoor;
  /** Null: no access log is kept. */
  readonly access: AccessSink | null;
}

/** HTTP/1.1 on plain sockets, both ways. */
export class RawHttpEngine implements HttpEngine {
  readonly #options: RawEngineOptions;
  readonly #context: EngineContext;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<ClientConnection>();
  readonly #closed = (connection: ClientConnection): void => {
    this.#forget(connection);
  };
  #isDraining = false;
  #drained: (() => void) | null = null;

  constructor(options: RawEngineOptions) {
    this.#options = options;
    const { dispatcher, door, access, now, onError, settings } = options;
    const { timeouts, limits } = settings;
    const sweeper = new Sweeper(now);
    this.#context = {
      dispatcher,
      door,
      access,
      now,
      sweeper,
      onError,
      timeouts,
      forwarding: forwardingOf(settings),
      headLimits: { headBytes: limits.headBytes, fields: limits.headFields, targetBytes: limits.headBytes / 2 },
      bodyBytes: limits.bodyBytes ?? Infinity,
      outbox: new Outbox(),
      pool: new UpstreamPool({ sweeper, now, onError, timeouts }),
      requestId: requestIds(),
      date: dates(now),
      isDraining: () => this.#isDraining,
    };
  }

  async listen(fds: readonly number[]): Promise<void> {
    await Promise.all(fds.map((fd) => this.#listenOn(fd)));
  }

  async drain(deadlineMs: Milliseconds): Promise<void> {
    this.#isDraining = true;
    for (const server of this.#servers) server.close();
    if (this.#connections.size > 0)
      await new Promise<void>((resolve) => {
        const leaving = this.#leaveBefore(deadlineMs);
        const timer = setTimeout(() => {
          for (const connection of this.#connections) connection.destroy();
          resolve();
        }, deadlineMs);
        this.#drained = () => {
          clearTimeout(leaving);
          clearTimeout(timer);
          resolve();
        };
      });
    this.#context.pool.close();
  }

  /** WebSockets and event streams are ended politely, each at a random instant of the last part of the time. */
  #leaveBefore(deadlineMs: Milliseconds): NodeJS.Timeout {
    const spreadMs = spreadOf(deadlineMs);
    return setTimeout(
      () => {
        for (const connection of this.#connections)
          setTimeout(() => {
            connection.leave();
          }, this.#options.random() * spreadMs);
      },
      Math.max(0, deadlineMs - LEAVE_MS - spreadMs),
    );
  }

  async #listenOn(fd: number): Promise<void> {
    const server = createServer({
      noDelay: true,
      allowHalfOpen: true,
      pauseOnConnect: true,
    });
    this.#servers.push(server);
    server.on("connection", (socket: Socket) => {
      this.#accept(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      // As an argument: with a descriptor, Node heeds no backlog among the options.
      server.listen({ fd }, BACKLOG, resolve);
    });
    // Out of descriptors, say: the kernel keeps the connection in its queue, and accepting goes on.
    server.on("error", (error) => {
      this.#options.onError("accept", error);
    });
  }

  #accept(socket: Socket): void {
    const accepted = accept(socket);
    if (accepted === null) return;
    if (!this.#options.door.opened(accepted.address)) {
      accepted.handle.close();
      return;
    }
    const connection = new ClientConnection(accepted, this.#context, this.#closed);
    this.#connections.add(connection);
    this.#context.sweeper.add(connection);
  }

  #forget(connection: ClientConnection): void {
    this.#connections.delete(connection);
    this.#context.sweeper.delete(connection);
    this.#options.door.closed();
    if (this.#connections.size === 0) this.#drained?.();
  }
}

function forwardingOf({ trustedProxies, forwarded, requestId, traceparent }: ProxySettings): ForwardingRules {
  const trusted = new Networks(trustedProxies);
  return {
    fields: forwarded,
    requestId,
    newTraceparent: traceparent === "create" ? () => newTraceparent(randomBytes(24).toString("hex")) : null,
    isTrusted: (address) => trusted.has(address),
  };
}

/** Unique for all time, at the cost of one addition: a random start of the process, and a count. */
function requestIds(): () => string {
  const start = randomBytes(9).toString("base64url");
  let count = 0;
  return () => {
    count += 1;
    return `${start}-${count.toString(36)}`;
  };
}

/** The time as an IMF-fixdate (RFC 9110, 5.6.7), made once a second. */
function dates(now: () => Milliseconds): () => string {
  let text = "";
  let until = -Infinity;
  return () => {
    if (now() < until) return text;
    const date = new Date();
    text = date.toUTCString();
    until = now() + 1_000 - date.getUTCMilliseconds();
    return text;
  };
}
