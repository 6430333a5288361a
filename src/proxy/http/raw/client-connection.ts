import type { Milliseconds } from "../../../model/time.ts";
import { REFUSAL, type Refusal } from "../refusal.ts";
import { Backlog } from "./backlog.ts";
import type { EngineContext } from "./context.ts";
import { ConnectionLog } from "./connection-log.ts";
import { Facts } from "./facts.ts";
import { AHEAD_BOUND_BYTES, LINGER_MS, PROBE_AFTER_MS } from "./limits.ts";
import { Link } from "./link.ts";
import { peerOf } from "./message/peer.ts";
import { scanRequestHead } from "./message/scan-request.ts";
import type { RequestContext, RequestHead } from "./message/types.ts";
import { Passage } from "./passage.ts";
import type { PassageClient } from "./passage-client.ts";
import { reasonOf, refusalOf, refusalText } from "./refuse.ts";
import { type Accepted, adopt, type SocketEvents } from "./socket.ts";
import type { Swept } from "./sweeper.ts";
import type { Tunnel } from "./tunnel.ts";

/** A connection closes so long after the time that it announced. */
const IDLE_GRACE_MS: Milliseconds = 1_000;
/** RFC 9110, 15.2.1: a client that did not ask for it discards it. */
const PROBE = "HTTP/1.1 100 Continue\r\n\r\n";

/**
 * `head`: between requests or in a head. `busy`: a request is on its way. `tunnel`: after 101. `linger`: all is said,
 * and what still comes is not looked at. `closed`.
 */
type Stage = "head" | "busy" | "tunnel" | "linger" | "closed";

/** One connection of a client: its requests, one after another in the order in which they came. */
export class ClientConnection implements SocketEvents, Swept, PassageClient {
  dueAt: Milliseconds;
  isHalfClosed = false;
  readonly link: Link;
  readonly requestContext: RequestContext;
  readonly facts: Facts;
  readonly #context: EngineContext;
  readonly #onClosed: (connection: ClientConnection) => void;
  readonly #backlog = new Backlog();
  readonly #passage: Passage;
  readonly #log: ConnectionLog | null;
  #stage: Stage = "head";
  #progress: RequestHead | undefined = undefined;
  #minor: 0 | 1 = 1;
  #tunnel: Tunnel | null = null;
  #isConsuming = false;
  #probeMs: Milliseconds = 0;

  constructor(accepted: Accepted, context: EngineContext, onClosed: (connection: ClientConnection) => void) {
    this.#context = context;
    this.#onClosed = onClosed;
    this.dueAt = context.now() + context.timeouts.idleMs + IDLE_GRACE_MS;
    const { address, localHost: fallbackHost } = accepted;
    const peer = peerOf(address, "http", context.forwarding.isTrusted(address), accepted.localPort);
    this.facts = new Facts(peer, context.forwarding, () => this.#stage === "closed");
    const log =
      context.access === null
        ? null
        : new ConnectionLog(context.access, peer, context.forwarding, () => this.link.socket.bytesWritten);
    this.#log = log;
    this.requestContext = {
      peer,
      rules: context.forwarding,
      fallbackHost,
      requestId: log === null ? context.requestId : () => log.named(context.requestId()),
      keepAlive: true,
    };
    this.#passage = new Passage(context, this);
    this.link = new Link(adopt(accepted, this));
  }

  connected(): void {
    // Told of connections that we begin.
  }

  failed(error: Error): void {
    this.#context.onError("a connection", error);
    this.destroy();
  }

  received(shared: Buffer, length: number): void {
    if (this.#tunnel !== null) {
      this.#tunnel.fromClient(shared, 0, length);
      return;
    }
    if (this.#backlog.size === 0) {
      const used = this.#consume(shared, 0, length);
      if (used < length) this.#backlog.append(shared, used, length);
    } else {
      this.#backlog.append(shared, 0, length);
      this.#consumeBacklog();
    }
    if (this.#backlog.size > AHEAD_BOUND_BYTES) this.link.pause();
  }

  readEnded(): void {
    this.isHalfClosed = true;
    if (this.#tunnel === null) this.#settleEnd();
    else this.#tunnel.clientEnded();
  }

  drained(): void {
    if (this.#tunnel !== null) {
      this.#tunnel.clientDrained();
      return;
    }
    if (this.#stage === "linger") {
      this.dueAt = this.#context.now() + LINGER_MS;
      return;
    }
    this.#passage.clientDrained();
    this.pump();
  }

  closed(): void {
    if (this.#stage === "closed") return;
    this.#stage = "closed";
    this.#backlog.clear();
    if (this.#tunnel === null) this.#passage.clientClosed();
    else this.#tunnel.clientClosed();
    this.#log?.end(this.#tunnel === null);
    this.#onClosed(this);
  }

  due(now: Milliseconds): void {
    this.dueAt = Infinity;
    if (this.#stage === "head" && this.#backlog.size > 0) {
      this.#log?.beginUnread(this.#backlog.size);
      this.#context.door.refused("head-timeout", this.requestContext.peer.address, "");
      this.refuse(REFUSAL["request-timeout"], false, true);
      this.#linger();
    } else if (this.#tunnel !== null) this.#tunnel.clientDue();
    else if (this.#stage !== "busy") this.destroy();
    else if (this.isHalfClosed && this.#passage.isSilent) this.#probe(now);
    else this.#passage.clientDue();
  }

  /** Ends it where it has no end of its own: a tunnel or an event stream. */
  leave(): void {
    if (this.#tunnel !== null) this.#tunnel.leave();
    else if (this.#passage.isEventStream) this.#passage.cut();
  }

  destroy(): void {
    if (this.#passage.endsByClose) this.link.socket.resetAndDestroy();
    else this.link.socket.destroy();
  }

  refuse(refusal: Refusal, isHead: boolean, isLast: boolean): void {
    this.#log?.refused(refusal);
    this.link.socket.write(refusalText(refusal, { date: this.#context.date(), isHead, isLast }), "latin1");
  }

  pump(): void {
    if (this.#isConsuming || this.#stage === "closed") return;
    this.#consumeBacklog();
    if (this.#backlog.size <= AHEAD_BOUND_BYTES && this.#tunnel === null) this.link.resume();
    if (this.isHalfClosed) this.#settleEnd();
  }

  answered(stays: boolean): void {
    if (this.#stage !== "busy") return;
    this.#log?.end(false);
    if (!stays) {
      this.#linger();
      return;
    }
    this.#stage = "head";
    this.dueAt = this.#context.now() + this.#context.timeouts.idleMs + IDLE_GRACE_MS;
    this.pump();
  }

  switched(tunnel: Tunnel): void {
    this.#stage = "tunnel";
    this.#tunnel = tunnel;
    const { buffer, start, end } = this.#backlog;
    this.#backlog.clear();
    if (end > start) tunnel.fromClient(buffer, start, end);
    this.link.resume();
    if (this.isHalfClosed) tunnel.clientEnded();
  }

  #consumeBacklog(): void {
    const backlog = this.#backlog;
    if (backlog.size === 0) {
      this.#passage.flush();
      return;
    }
    const { buffer, start, end } = backlog;
    const used = this.#consume(buffer, start, end);
    // A switch or an end has emptied it.
    if (backlog.size > 0) backlog.drop(used - start);
  }

  /** Uses what it can of the bytes and returns up to where. */
  #consume(bytes: Buffer, from: number, to: number): number {
    this.#isConsuming = true;
    let at = from;
    for (let isMoving = true; isMoving && at < to;) {
      const before = at;
      if (this.#stage === "head") at = this.#readHead(bytes, at, to);
      else if (this.#stage === "busy" && !this.#passage.isRequestWhole) at = this.#takeBody(bytes, at, to);
      else if (this.#stage === "linger" || this.#stage === "closed") at = to;
      isMoving = at > before;
    }
    this.#isConsuming = false;
    this.#passage.flush();
    return at;
  }

  #readHead(bytes: Buffer, at: number, to: number): number {
    // Answers that the client does not take must not pile up.
    if (this.link.isStuffed) return at;
    const result = scanRequestHead(bytes, at, to, this.#context.headLimits, this.#progress);
    if (result.kind === "incomplete") {
      if (this.#progress === undefined) this.dueAt = this.#context.now() + this.#context.timeouts.headMs;
      this.#progress = result.progress;
      return at;
    }
    this.#progress = undefined;
    if (result.kind === "reject") {
      this.#log?.beginUnread(to - at);
      this.#context.door.refused(reasonOf(result), this.requestContext.peer.address, result.reason);
      this.refuse(refusalOf(result.status), false, true);
      this.#linger();
      return to;
    }
    this.#stage = "busy";
    this.dueAt = Infinity;
    this.#minor = result.minor;
    this.#probeMs = 0;
    this.#beginLog(result);
    this.#passage.begin(result);
    return at + result.size;
  }

  #takeBody(bytes: Buffer, at: number, to: number): number {
    const end = this.#passage.takeBody(bytes, at, to);
    this.#log?.took(end - at);
    return end;
  }

  #beginLog(head: RequestHead): void {
    if (this.#log === null) return;
    this.#log.begin(head);
    this.facts.access = this.#log.entry;
  }

  /** The client has ended its direction: what is whole is still answered. */
  #settleEnd(): void {
    if (this.#stage === "head" && !this.link.isStuffed) this.#linger();
    else if (this.#stage === "busy") {
      const { isRequestWhole, isEventStream } = this.#passage;
      const isCutShort = !isRequestWhole && this.#backlog.size === 0;
      // To go on with an event stream would be to send it to nobody until the next event.
      if (isCutShort || isEventStream) this.destroy();
      else if (this.#passage.isSilent && this.#minor === 1 && this.#probeMs === 0) {
        this.#probeMs = PROBE_AFTER_MS;
        this.dueAt = this.#context.now() + PROBE_AFTER_MS;
      }
    }
  }

  /** A client that has gone looks like one that waits for its answer; to what we write, its kernel answers the truth. */
  #probe(now: Milliseconds): void {
    this.#probeMs *= 2;
    this.dueAt = now + this.#probeMs;
    this.link.socket.write(PROBE, "latin1");
  }

  /** Ends our direction and reads on for a while: a close with unread bytes would take the answer from the client. */
  #linger(): void {
    this.#log?.end(false);
    this.#stage = "linger";
    this.#backlog.clear();
    this.dueAt = this.#context.now() + (this.link.isDrained ? LINGER_MS : this.#context.timeouts.writeMs);
    this.link.end();
    this.link.resume();
  }
}
