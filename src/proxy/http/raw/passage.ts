import { REFUSAL, type Refusal } from "../refusal.ts";
import type { RefusedReason } from "../refused.ts";
import { Answer, type AnswerOwner } from "./answer.ts";
import type { EngineContext } from "./context.ts";
import { Delivery, type DeliveryOwner } from "./delivery.ts";
import { LEAVE_MS } from "./limits.ts";
import type { FramingKind, RequestHead, ResponseHead } from "./message/types.ts";
import type { Outbox } from "./outbox.ts";
import type { PassageClient } from "./passage-client.ts";
import { Tunnel } from "./tunnel.ts";
import type { Upstream } from "./upstream.ts";

/** Carries one request after another of one connection to instances, and the answers back. */
export class Passage implements DeliveryOwner, AnswerOwner {
  readonly date: () => string;
  readonly idleS: number;
  readonly #context: EngineContext;
  readonly #client: PassageClient;
  readonly #delivery: Delivery;
  readonly #answer: Answer;
  readonly #outbox: Outbox;
  #keepsClient = false;
  #isEventStream = false;
  /** To be ended as soon as the answer stands between two chunks. */
  #isLeaving = false;
  #framing: FramingKind = "none";

  constructor(context: EngineContext, client: PassageClient) {
    this.#context = context;
    this.#client = client;
    this.#outbox = context.outbox;
    this.date = context.date;
    this.idleS = context.timeouts.idleMs / 1_000;
    this.#delivery = new Delivery(context, client, this);
    this.#answer = new Answer(this, context.outbox);
  }

  get isUnanswered(): boolean {
    return this.#answer.stage === "head";
  }

  /** Whether the client may be asked, by an interim answer, if it is still there. */
  get isSilent(): boolean {
    return this.#delivery.isActive && this.isUnanswered;
  }

  get isEventStream(): boolean {
    return this.#delivery.isActive && this.#isEventStream;
  }

  /** The answer under way has no length and no chunks: an end of the connection would look like its own. */
  get endsByClose(): boolean {
    return this.#delivery.isActive && this.#framing === "close";
  }

  get takesUpgrade(): boolean {
    return this.#delivery.request.isUpgrade;
  }

  get isRequestWhole(): boolean {
    return this.#delivery.request.isWhole;
  }

  /** Takes a request's head; its body comes by `takeBody`. */
  begin(head: RequestHead): void {
    this.#keepsClient = head.keepAlive;
    this.#isEventStream = false;
    this.#isLeaving = false;
    this.#framing = "none";
    this.#answer.begin(head.method, head.minor);
    this.#delivery.begin(head);
  }

  takeBody(bytes: Buffer, from: number, to: number): number {
    return this.#delivery.takeBody(bytes, from, to);
  }

  flush(): void {
    this.#delivery.flush();
  }

  clientDrained(): void {
    if (!this.#delivery.isActive) return;
    this.#client.dueAt = Infinity;
    this.#delivery.upstream?.link.resume();
  }

  clientDue(): void {
    if (this.isUnanswered && !this.isRequestWhole) {
      const isUntaken = this.#delivery.upstream?.link.isStuffed === true;
      this.#giveUp(REFUSAL[isUntaken ? "gateway-timeout" : "request-timeout"]);
    } else {
      this.#context.door.refused("write-timeout", this.#client.requestContext.peer.address, "");
      this.#client.destroy();
    }
  }

  /** The client's connection has closed. */
  clientClosed(): void {
    this.#delivery.drop();
    this.#delivery.end();
  }

  refused(refusal: Refusal, reason: RefusedReason = refusal.code, detail = ""): void {
    this.#context.door.refused(reason, this.#client.requestContext.peer.address, detail);
    const { request } = this.#delivery;
    const hasStarted = !this.isUnanswered && !request.isUnanswered;
    // A body that nobody reads would stand in the way of the next request.
    const isLast = this.#context.isDraining() || !request.isWhole || !this.#keepsClient || request.isUpgrade;
    this.#delivery.drop();
    if (hasStarted) this.#client.destroy();
    this.#delivery.end();
    if (hasStarted) return;
    this.#client.refuse(refusal, request.method === "HEAD", isLast);
    this.#client.answered(!isLast);
  }

  /** Ends an event stream as its instance would, and anything else so that nobody takes it for whole. */
  cut(): void {
    if (!this.isEventStream) this.#client.destroy();
    else if (!this.#endEarly()) {
      this.#isLeaving = true;
      this.#client.dueAt = this.#context.now() + LEAVE_MS;
    }
  }

  rejected(refusal: Refusal, reason: string): void {
    this.#giveUp(refusal, refusal.code === "bad-request" ? "bad-body" : refusal.code, reason);
  }

  upstreamConnected(): void {
    this.#delivery.connected();
  }

  upstreamReceived(bytes: Buffer, from: number, to: number): number {
    const answer = this.#answer;
    const at = answer.feed(bytes, from, to);
    switch (answer.stage) {
      case "head":
        this.#client.link.send(this.#outbox);
        // Interim answers without end must not pile up either.
        if (answer.hasInterim) this.#hold();
        return at;
      case "body":
        this.#client.link.send(this.#outbox);
        if (!this.#isLeaving) this.#hold();
        else if (this.#endEarly()) return to;
        return at;
      case "whole":
        this.#client.link.send(this.#outbox);
        this.#finish(at === to);
        return to;
      case "switched":
        this.#switch(bytes, at, to);
        return to;
      case "bad":
        this.#bad();
        return to;
      default:
        answer.stage satisfies never;
        return to;
    }
  }

  upstreamEnded(): void {
    if (this.isUnanswered) {
      this.#delivery.drop();
      this.#failed();
      return;
    }
    this.#answer.end();
    if (this.#answer.stage === "whole") {
      this.#client.link.send(this.#outbox);
      this.#finish(false);
    } else this.#bad();
  }

  upstreamDrained(): void {
    this.#client.pump();
  }

  upstreamClosed(upstream: Upstream): void {
    const delivery = this.#delivery;
    delivery.upstream = null;
    if (!delivery.isActive) return;
    if (!upstream.isConnected) delivery.connectFailed();
    else if (this.isUnanswered) this.#failed();
    else this.#bad();
  }

  upstreamDue(): void {
    if (this.isUnanswered) this.#giveUp(REFUSAL["gateway-timeout"]);
  }

  headCame(head: ResponseHead, framing: FramingKind): boolean {
    const { exchange, upstream, request, lastByteIn } = this.#delivery;
    if (exchange === null || upstream === null) return false;
    const now = this.#context.now();
    upstream.dueAt = Infinity;
    this.#client.dueAt = Infinity;
    this.#framing = framing;
    request.settle();
    this.#isEventStream = head.isEventStream;
    if (head.isEventStream) exchange.markLongLived();
    const since = request.isWhole ? Math.max(lastByteIn, exchange.begunAt) : now;
    exchange.responded(head.status, head.isEventStream || request.isUpgrade ? null : Math.max(0, now - since));
    // What came behind a refused upgrade may be in the other protocol.
    this.#keepsClient &&= framing !== "close" && request.isWhole && !request.isUpgrade && !this.#context.isDraining();
    return this.#keepsClient;
  }

  /** The client takes less than comes. */
  #hold(): void {
    if (!this.#client.link.isStuffed) return;
    this.#delivery.upstream?.link.pause();
    this.#client.dueAt = this.#context.now() + this.#context.timeouts.writeMs;
  }

  /** Ends the answer where it stands; false: that is in the middle of a chunk. */
  #endEarly(): boolean {
    if (!this.#answer.endEarly()) return false;
    this.#client.link.send(this.#outbox);
    this.#finish(false);
    return true;
  }

  /** The connection ended without an answer. */
  #failed(): void {
    if (this.#delivery.exchange === null) return;
    // Once any of its answer has come, the request is not sent again.
    if (this.#answer.hasBegun || !this.#delivery.replay()) this.#giveUp(REFUSAL["bad-gateway"]);
  }

  /** The answer cannot be passed on, or not to its end. */
  #bad(): void {
    const { upstream } = this.#delivery;
    const instance = upstream === null ? "an instance" : `${upstream.host}:${String(upstream.port)}`;
    this.#context.door.refused("bad-answer", instance, this.#answer.reason);
    if (this.#delivery.request.isUnanswered) {
      this.#outbox.discard();
      this.#giveUp(REFUSAL["bad-gateway"]);
      return;
    }
    this.#client.link.send(this.#outbox);
    this.#delivery.exchange?.broken();
    this.#client.destroy();
  }

  /** What came behind the 101 is the tunnel's first; so are both connections, and the exchange. */
  #switch(bytes: Buffer, at: number, to: number): void {
    const delivery = this.#delivery;
    const { upstream, exchange } = delivery;
    if (upstream === null || exchange === null) return;
    exchange.markLongLived();
    exchange.responded(101, null);
    upstream.dueAt = Infinity;
    // The 101 itself; what came behind it is walked over by the tunnel.
    this.#client.link.send(this.#outbox);
    const { isWebSocket } = delivery.request;
    delivery.upstream = null;
    delivery.exchange = null;
    delivery.end();
    const tunnel = new Tunnel({ context: this.#context, client: this.#client, upstream, exchange, isWebSocket });
    tunnel.upstreamReceived(bytes, at, to);
    this.#client.switched(tunnel);
  }

  #giveUp(refusal: Refusal, reason?: RefusedReason, detail?: string): void {
    this.#delivery.exchange?.gaveUp(refusal.status);
    this.refused(refusal, reason, detail);
  }

  /** The answer is with the client's socket. */
  #finish(isAtEnd: boolean): void {
    const { keepsUpstream, announcedS } = this.#answer;
    const stays = this.#keepsClient;
    this.#delivery.release(isAtEnd && keepsUpstream, announcedS);
    this.#delivery.end();
    this.#client.answered(stays);
  }
}
