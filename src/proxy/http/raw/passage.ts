import type { Milliseconds } from "../../../model/time.ts";
import { type Admission, type Exchange, isRefusal } from "../engine.ts";
import { REFUSAL, type Refusal } from "../refusal.ts";
import { Answer, type AnswerOwner } from "./answer.ts";
import type { EngineContext } from "./context.ts";
import { BODY_STALL_MS, RESPONSE_TIMEOUT_MS, WRITE_STALL_MS } from "./limits.ts";
import { ChunkedDecoder } from "./message/chunked.ts";
import { WRITE_ROOM } from "./message/copy-fields.ts";
import { LengthDecoder } from "./message/length.ts";
import type { BodyDecoder, FramingKind, RequestHead, ResponseHead } from "./message/types.ts";
import { writeRequestHead } from "./message/write-request.ts";
import type { Outbox } from "./outbox.ts";
import type { PassageClient } from "./passage-client.ts";
import { Tunnel } from "./tunnel.ts";
import type { Upstream, UpstreamUser } from "./upstream.ts";

/** RFC 9110, 9.2.1: doing one twice is doing it once. */
const REPLAYABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Carries one request after another of one connection to instances, and the answers back. */
export class Passage implements UpstreamUser, AnswerOwner {
  readonly #context: EngineContext;
  readonly #client: PassageClient;
  readonly #answer: Answer;
  readonly #outbox: Outbox;
  readonly date: () => string;
  #exchange: Exchange | null = null;
  #upstream: Upstream | null = null;
  #tunnel: Tunnel | null = null;
  /** The head as the instance gets it, for as long as it may have to be sent again. */
  #head: string | null = null;
  #isHeadSent = false;
  #body: BodyDecoder | null = null;
  #method = "GET";
  #lastByteIn: Milliseconds = 0;
  #isRequestWhole = true;
  #isBodyMoving = false;
  #isReplayable = false;
  #isUpgrade = false;
  #keepsClient = false;
  #isEventStream = false;
  #framing: FramingKind = "none";
  /** Between a request's head and the end of its answer. */
  #isActive = false;
  readonly #cut = (): void => {
    this.#client.destroy();
  };

  constructor(context: EngineContext, client: PassageClient) {
    this.#context = context;
    this.#client = client;
    this.#outbox = context.outbox;
    this.date = context.date;
    this.#answer = new Answer(this, context.outbox);
  }

  /** Whether the client may be asked, by an interim answer, if it is still there. */
  get isSilent(): boolean {
    return this.#isActive && this.#answer.stage === "head";
  }

  get isEventStream(): boolean {
    return this.#isActive && this.#isEventStream;
  }

  /** The answer under way has no length and no chunks: an end of the connection would look like its own. */
  get endsByClose(): boolean {
    return this.#isActive && this.#framing === "close";
  }

  get takesUpgrade(): boolean {
    return this.#isUpgrade;
  }

  /** Takes a request's head; its body comes by `takeBody`. */
  begin(head: RequestHead): void {
    const { method } = head;
    this.#isActive = true;
    this.#method = method;
    this.#isReplayable = !head.hasBody && REPLAYABLE.has(method);
    this.#isUpgrade = head.upgrade !== null;
    this.#keepsClient = head.keepAlive;
    this.#isRequestWhole = !head.hasBody;
    this.#isBodyMoving = false;
    this.#isHeadSent = false;
    this.#isEventStream = false;
    this.#framing = "none";
    this.#answer.begin(method, head.minor);
    this.#lastByteIn = this.#context.now();
    this.#body = bodyOf(head);
    if (!this.#writeHead(head)) {
      this.#refuse(REFUSAL["head-too-large"]);
      return;
    }
    const { facts } = this.#client;
    const admission = this.#context.dispatcher.admit(facts.of(head));
    facts.forget();
    this.#follow(admission);
  }

  /** Returns up to where the bytes were taken: to the body's end, or not at all while no instance takes them. */
  takeBody(bytes: Buffer, from: number, to: number): number {
    const upstream = this.#upstream;
    const body = this.#body;
    if (upstream === null || body === null || !upstream.isConnected || upstream.isStuffed) return from;
    const end = body.decode(bytes, from, to);
    if (body.reject !== null) {
      this.#context.debug(body.reject.reason);
      this.#giveUp(REFUSAL["bad-request"]);
      return to;
    }
    this.#isBodyMoving = true;
    this.#putHead();
    this.#outbox.append(bytes, from, end);
    upstream.send(this.#outbox);
    if (body.isDone) this.#requestIsWhole();
    else this.#client.dueAt = this.#context.now() + BODY_STALL_MS;
    return end;
  }

  get isRequestWhole(): boolean {
    return this.#isRequestWhole;
  }

  /** The head of a request whose body has not come yet goes alone. */
  flush(): void {
    const upstream = this.#upstream;
    if (this.#isHeadSent || upstream === null || !upstream.isConnected || !this.#isActive) return;
    this.#putHead();
    upstream.send(this.#outbox);
  }

  clientDrained(): void {
    if (this.#tunnel !== null) this.#tunnel.clientDrained();
    else if (this.#isActive) {
      this.#client.dueAt = Infinity;
      this.#upstream?.resume();
    }
  }

  clientDue(): void {
    if (this.#answer.stage === "head" && !this.#isRequestWhole)
      this.#giveUp(REFUSAL[this.#upstream?.isStuffed === true ? "gateway-timeout" : "request-timeout"]);
    else this.#client.destroy();
  }

  /** The client's connection has closed. */
  clientClosed(): void {
    if (this.#tunnel === null) this.#dropUpstream();
    else this.#upstream?.finish();
    this.#end();
  }

  tunnelled(bytes: Buffer, from: number, to: number): void {
    this.#tunnel?.fromClient(bytes, from, to);
  }

  clientEnded(): void {
    this.#tunnel?.clientEnded();
  }

  upstreamConnected(): void {
    this.#exchange?.connected();
    this.#upstreamReady();
  }

  upstreamReceived(bytes: Buffer, from: number, to: number): number {
    if (this.#tunnel !== null) {
      this.#tunnel.fromUpstream(bytes, from, to);
      return to;
    }
    const answer = this.#answer;
    const at = answer.feed(bytes, from, to);
    switch (answer.stage) {
      case "head":
        this.#client.send(this.#outbox);
        return at;
      case "body":
        this.#client.send(this.#outbox);
        this.#hold();
        return at;
      case "whole":
        this.#client.send(this.#outbox);
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
    if (this.#tunnel !== null) {
      this.#tunnel.upstreamEnded();
      return;
    }
    if (this.#answer.stage === "head") {
      this.#dropUpstream();
      this.#failed();
      return;
    }
    this.#answer.end();
    if (this.#answer.stage === "whole") {
      this.#client.send(this.#outbox);
      this.#finish(false);
    } else this.#bad();
  }

  upstreamDrained(): void {
    if (this.#tunnel !== null) this.#tunnel.upstreamDrained();
    else this.#client.pump();
  }

  upstreamClosed(upstream: Upstream): void {
    this.#upstream = null;
    if (this.#tunnel !== null) {
      this.#tunnel.upstreamClosed();
      return;
    }
    if (!this.#isActive) return;
    if (!upstream.isConnected) this.#connectFailed();
    else if (this.#answer.stage === "head") this.#failed();
    else this.#bad();
  }

  upstreamDue(): void {
    if (this.#answer.stage === "head") this.#giveUp(REFUSAL["gateway-timeout"]);
  }

  headCame(head: ResponseHead, framing: FramingKind): boolean {
    const exchange = this.#exchange;
    const upstream = this.#upstream;
    if (exchange === null || upstream === null) return false;
    const now = this.#context.now();
    upstream.dueAt = Infinity;
    this.#client.dueAt = Infinity;
    this.#framing = framing;
    this.#head = null;
    this.#isEventStream = head.isEventStream;
    if (head.isEventStream) exchange.markLongLived();
    const since = this.#isRequestWhole ? Math.max(this.#lastByteIn, exchange.begunAt) : now;
    exchange.responded(head.status, head.isEventStream || this.#isUpgrade ? null : Math.max(0, now - since));
    // What came behind a refused upgrade may be in the other protocol.
    this.#keepsClient &&=
      framing !== "close" && this.#isRequestWhole && !this.#isUpgrade && !this.#context.isDraining();
    return this.#keepsClient;
  }

  #writeHead(head: RequestHead): boolean {
    const outbox = this.#outbox;
    const slab = outbox.room(head.size + WRITE_ROOM);
    const end = writeRequestHead(head, this.#client.requestContext, slab, outbox.end);
    if (end < 0) return false;
    outbox.end = end;
    this.#head = outbox.takeText();
    return true;
  }

  #follow(admission: Admission): void {
    if (!(admission instanceof Promise)) {
      this.#go(admission);
      return;
    }
    void admission.then((admitted) => {
      this.#go(admitted);
    });
  }

  #go(admitted: Exchange | Refusal): void {
    if (isRefusal(admitted)) {
      if (this.#isActive) this.#refuse(admitted);
      return;
    }
    if (!this.#isActive) {
      admitted.end();
      return;
    }
    this.#exchange = admitted;
    admitted.onCut = this.#cut;
    const { pool } = this.#context;
    const { host, port } = admitted;
    this.#upstream = this.#isUpgrade ? pool.dial(host, port, this) : pool.take(host, port, this.#isReplayable, this);
    if (this.#upstream.isConnected) this.#upstreamReady();
  }

  #upstreamReady(): void {
    if (this.#isRequestWhole) {
      this.flush();
      this.#awaitAnswer();
      return;
    }
    this.#client.dueAt = this.#context.now() + BODY_STALL_MS;
    this.#client.pump();
  }

  #putHead(): void {
    if (this.#isHeadSent || this.#head === null) return;
    this.#isHeadSent = true;
    this.#outbox.text(this.#head);
  }

  #requestIsWhole(): void {
    this.#isRequestWhole = true;
    this.#lastByteIn = this.#context.now();
    this.#client.dueAt = Infinity;
    if (this.#answer.stage === "head") this.#awaitAnswer();
  }

  #awaitAnswer(): void {
    if (this.#upstream !== null) this.#upstream.dueAt = this.#context.now() + RESPONSE_TIMEOUT_MS;
  }

  /** The client takes less than comes. */
  #hold(): void {
    if (!this.#client.isStuffed) return;
    this.#upstream?.pause();
    this.#client.dueAt = this.#context.now() + WRITE_STALL_MS;
  }

  #connectFailed(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#isHeadSent = false;
    this.#follow(exchange.connectFailed());
  }

  /** The connection ended without an answer. */
  #failed(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    const maySendAgain = this.#isReplayable && !this.#isBodyMoving && !this.#answer.hasBegun;
    const again = maySendAgain ? exchange.replay() : null;
    if (again === null) {
      this.#giveUp(REFUSAL["bad-gateway"]);
      return;
    }
    this.#answer.again();
    this.#isHeadSent = false;
    this.#follow(again);
  }

  /** The answer cannot be passed on, or not to its end. */
  #bad(): void {
    this.#context.debug(this.#answer.reason);
    if (this.#head !== null) {
      this.#outbox.discard();
      this.#giveUp(REFUSAL["bad-gateway"]);
      return;
    }
    this.#client.send(this.#outbox);
    this.#exchange?.broken();
    this.#client.destroy();
  }

  #switch(bytes: Buffer, at: number, to: number): void {
    const upstream = this.#upstream;
    const exchange = this.#exchange;
    if (upstream === null || exchange === null) return;
    exchange.markLongLived();
    exchange.responded(101, null);
    upstream.dueAt = Infinity;
    this.#head = null;
    this.#client.dueAt = Infinity;
    this.#outbox.append(bytes, at, to);
    this.#client.send(this.#outbox);
    this.#tunnel = new Tunnel(this.#outbox, this.#client, upstream);
    this.#client.switched();
  }

  #giveUp(refusal: Refusal): void {
    this.#exchange?.gaveUp(refusal.status);
    this.#refuse(refusal);
  }

  #refuse(refusal: Refusal): void {
    const hasStarted = this.#answer.stage !== "head" && this.#head === null;
    // A body that nobody reads would stand in the way of the next request.
    const isLast = this.#context.isDraining() || !this.#isRequestWhole || !this.#keepsClient || this.#isUpgrade;
    this.#dropUpstream();
    if (hasStarted) this.#client.destroy();
    this.#end();
    if (hasStarted) return;
    this.#client.refuse(refusal, this.#method === "HEAD", isLast);
    this.#client.answered(!isLast);
  }

  /** The answer is with the client's socket. */
  #finish(isAtEnd: boolean): void {
    const upstream = this.#upstream;
    const { keepsUpstream, announcedS } = this.#answer;
    this.#upstream = null;
    if (upstream !== null) {
      if (isAtEnd && keepsUpstream && this.#isRequestWhole && !this.#isUpgrade && upstream.isClean)
        this.#context.pool.give(upstream, announcedS);
      else upstream.destroy();
    }
    const stays = this.#keepsClient;
    this.#end();
    this.#client.answered(stays);
  }

  #dropUpstream(): void {
    this.#upstream?.destroy();
    this.#upstream = null;
  }

  #end(): void {
    this.#isActive = false;
    this.#head = null;
    this.#body = null;
    this.#tunnel = null;
    const exchange = this.#exchange;
    this.#exchange = null;
    exchange?.end();
  }
}

function bodyOf(head: RequestHead): BodyDecoder | null {
  if (!head.hasBody) return null;
  return head.framing === "chunked" ? new ChunkedDecoder() : new LengthDecoder(head.contentLength);
}
