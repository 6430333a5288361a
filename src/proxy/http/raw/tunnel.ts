import type { Milliseconds } from "../../../model/time.ts";
import type { Exchange } from "../engine.ts";
import type { EngineContext } from "./context.ts";
import { LEAVE_MS } from "./limits.ts";
import { FrameWalk, GOING_AWAY } from "./message/frame-walk.ts";
import type { Link } from "./link.ts";
import type { Upstream, UpstreamUser } from "./upstream.ts";

interface TunnelParts {
  readonly context: EngineContext;
  readonly client: {
    readonly link: Link;
    /** When the client's connection is ended at the latest. */
    dueAt: Milliseconds;
    destroy(): void;
  };
  readonly upstream: Upstream;
  readonly exchange: Exchange;
  readonly isWebSocket: boolean;
}

/**
 * `open`: bytes go both ways. `leaving`: to be ended at the next border of the instance's frames. `left`: the client was
 * told, and what the instance still says is for nobody; what the client answers goes on to the instance.
 */
type Stage = "open" | "leaving" | "left";

/**
 * What a request becomes after 101: bytes both ways, reading neither side faster than the other takes them. Each
 * direction ends by itself. It ends when nothing comes from either side for long, or when one takes nothing for long.
 */
export class Tunnel implements UpstreamUser {
  readonly #parts: TunnelParts;
  /** Of the instance's direction; null: not a WebSocket. */
  readonly #frames: FrameWalk | null;
  #stage: Stage = "open";

  /** Takes over the instance's connection, and the exchange, which ends with the client's connection. */
  constructor(parts: TunnelParts) {
    this.#parts = parts;
    this.#frames = parts.isWebSocket ? new FrameWalk() : null;
    parts.upstream.user = this;
    parts.exchange.onCut = () => {
      this.leave();
    };
    this.#stays();
  }

  /**
   * Ends it from the middle, for as long as {@link LEAVE_MS} politely: a WebSocket's client gets a Close frame with 1001
   * between two frames, its answer to that goes to the instance, and the instance then ends the connection (RFC 6455,
   * 7.1.1). Of any other protocol nothing is known: both sides get the end of the stream.
   */
  leave(): void {
    if (this.#stage !== "open") return;
    const { client, context } = this.#parts;
    this.#stage = "leaving";
    client.dueAt = context.now() + LEAVE_MS;
    if (this.#frames === null || this.#frames.isAtBorder) this.#sayGoodbye();
  }

  fromClient(bytes: Buffer, from: number, to: number): void {
    const { client, upstream, context } = this.#parts;
    if (this.#stage === "left" && this.#frames === null) return;
    this.#carry(bytes, from, to, client.link, upstream.link);
    if (upstream.link.isStuffed) upstream.dueAt = context.now() + context.timeouts.writeMs;
  }

  clientEnded(): void {
    this.#parts.upstream.link.end();
  }

  clientDrained(): void {
    this.#stays();
    this.#parts.upstream.link.resume();
  }

  clientClosed(): void {
    this.#parts.upstream.finish();
    this.#parts.exchange.end();
  }

  /** Both sides were silent for long, or the client takes none of what waits for it, or does not leave when told. */
  clientDue(): void {
    const { client } = this.#parts;
    if (this.#stage === "open" && !client.link.isStuffed) this.leave();
    else client.destroy();
  }

  upstreamConnected(): void {
    // It was, long ago.
  }

  upstreamReceived(bytes: Buffer, from: number, to: number): number {
    if (this.#stage === "left") return to;
    const { client, upstream, context } = this.#parts;
    const isLeaving = this.#stage === "leaving";
    const end = this.#frames?.take(bytes, from, to, isLeaving) ?? to;
    this.#carry(bytes, from, end, upstream.link, client.link);
    if (this.#stage === "open" && client.link.isStuffed) client.dueAt = context.now() + context.timeouts.writeMs;
    if (isLeaving && this.#frames?.isAtBorder === true) this.#sayGoodbye();
    return to;
  }

  upstreamEnded(): void {
    this.#parts.client.link.end();
  }

  upstreamDrained(): void {
    this.#parts.upstream.dueAt = Infinity;
    this.#parts.client.link.resume();
  }

  upstreamClosed(): void {
    const { client, context } = this.#parts;
    client.dueAt = Math.min(client.dueAt, context.now() + context.timeouts.writeMs);
    client.link.finish();
  }

  /** It takes none of what waits for it. */
  upstreamDue(): void {
    this.#parts.upstream.destroy();
    this.#parts.client.destroy();
  }

  #sayGoodbye(): void {
    const { client, upstream, context } = this.#parts;
    this.#stage = "left";
    // What the instance says from now on is dropped, so it may be read however little the client takes.
    upstream.link.resume();
    if (this.#frames === null) {
      client.link.end();
      upstream.link.end();
    } else if (!this.#frames.isClosing) {
      context.outbox.append(GOING_AWAY, 0, GOING_AWAY.length);
      client.link.send(context.outbox);
    }
  }

  #carry(bytes: Buffer, from: number, to: number, source: Link, target: Link): void {
    const { outbox } = this.#parts.context;
    outbox.append(bytes, from, to);
    target.send(outbox);
    if (target.isStuffed) source.pause();
    this.#stays();
  }

  /** A sign of life; to a client that takes none of what waits for it, it gives no more time. */
  #stays(): void {
    const { client, context } = this.#parts;
    if (this.#stage === "open" && !client.link.isStuffed) client.dueAt = context.now() + context.timeouts.tunnelMs;
  }
}
