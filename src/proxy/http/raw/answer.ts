import { answerFraming } from "./message/answer-framing.ts";
import { ChunkedDecoder } from "./message/chunked.ts";
import { WRITE_ROOM } from "./message/copy-fields.ts";
import { LengthDecoder } from "./message/length.ts";
import { scanResponseHead } from "./message/scan-response.ts";
import { type BodyDecoder, type FramingKind, RESPONSE_LIMITS, type ResponseHead } from "./message/types.ts";
import { writeResponseHead } from "./message/write-response.ts";
import type { Outbox } from "./outbox.ts";

/**
 * `head`: the final head has not come. `switched`: 101, what follows is no HTTP. `bad`: not an answer that may be passed
 * on, or one that ended too early.
 */
export type AnswerStage = "head" | "body" | "whole" | "switched" | "bad";

const LAST_CHUNK = "0\r\n\r\n";

export interface AnswerOwner {
  /** The final head: whether the client's connection may stay after this answer. */
  headCame(head: ResponseHead, framing: FramingKind): boolean;
  readonly takesUpgrade: boolean;
  /** Announced to the client, seconds. */
  readonly idleS: number;
  readonly date: () => string;
}

/** Turns the bytes of an instance's answer into those that the client gets, and puts them into the outbox. */
export class Answer {
  stage: AnswerStage = "head";
  /** Any byte of it has come. */
  hasBegun = false;
  /** A head of the 1xx class went to the client. */
  hasInterim = false;
  /** The instance keeps the connection, and for how many seconds it said so; -1: it did not say. */
  keepsUpstream = false;
  announcedS = -1;
  reason = "the connection ended before the answer did";
  readonly #owner: AnswerOwner;
  readonly #outbox: Outbox;
  readonly #request: { method: string; minor: 0 | 1 } = {
    method: "GET",
    minor: 1,
  };
  #progress: ResponseHead | undefined = undefined;
  #decoder: BodyDecoder | null = null;
  #framing: FramingKind = "none";

  constructor(owner: AnswerOwner, outbox: Outbox) {
    this.#owner = owner;
    this.#outbox = outbox;
  }

  /** For the next request, by its method and version. */
  begin(method: string, minor: 0 | 1): void {
    this.#request.method = method;
    this.#request.minor = minor;
    this.again();
  }

  /** For another try at the same request. */
  again(): void {
    this.stage = "head";
    this.hasBegun = false;
    this.hasInterim = false;
    this.keepsUpstream = false;
    this.#progress = undefined;
    this.#decoder = null;
  }

  /** Returns up to where the bytes were used: to the end, but in a head that is not whole, or behind the answer. */
  feed(bytes: Buffer, from: number, to: number): number {
    this.hasBegun = true;
    let at = from;
    while (this.stage === "head" && at < to) {
      const size = this.#feedHead(bytes, at, to);
      if (size === 0) return at;
      at += size;
    }
    return this.stage === "body" && at < to ? this.#feedBody(bytes, at, to) : at;
  }

  /** The instance ended its direction: the end of an answer that has no other, too early for any other. */
  end(): void {
    if (this.stage === "body" && this.#decoder === null) {
      if (this.#framing === "chunked") this.#outbox.text(LAST_CHUNK);
      this.stage = "whole";
    } else if (this.stage !== "whole") this.stage = "bad";
  }

  /** Ends a body from the middle as if the instance had; false: it has a length, or stands within a chunk. */
  endEarly(): boolean {
    const decoder = this.#decoder;
    const mayEnd = decoder === null || (decoder instanceof ChunkedDecoder && decoder.isAtBorder);
    if (this.stage !== "body" || !mayEnd) return false;
    if (this.#framing === "chunked") this.#outbox.text(LAST_CHUNK);
    this.stage = "whole";
    return true;
  }

  #feedHead(bytes: Buffer, at: number, to: number): number {
    const context = { request: this.#request, limits: RESPONSE_LIMITS };
    const result = scanResponseHead(bytes, at, to, context, this.#progress);
    if (result.kind === "incomplete") {
      this.#progress = result.progress;
      return 0;
    }
    this.#progress = undefined;
    if (result.kind === "reject") {
      this.#fail(result.reason);
      return 0;
    }
    if (result.status >= 200) this.#final(result);
    else if (result.status === 101) this.#switch(result);
    else this.#interim(result);
    return result.size;
  }

  #final(head: ResponseHead): void {
    const framing = answerFraming(head, this.#request);
    const keepAlive = this.#owner.headCame(head, framing);
    if (!this.#write(head, framing, keepAlive)) return;
    this.keepsUpstream = head.keepAlive;
    this.announcedS = head.keepAliveTimeout;
    this.#framing = framing;
    if (head.framing === "none") {
      this.stage = "whole";
      return;
    }
    this.stage = "body";
    if (head.framing === "length") this.#decoder = new LengthDecoder(head.contentLength);
    else if (head.framing === "chunked") this.#decoder = new ChunkedDecoder();
  }

  #switch(head: ResponseHead): void {
    if (!this.#owner.takesUpgrade) this.#fail("101 to a request without Upgrade");
    else if (this.#write(head, "none", true)) this.stage = "switched";
  }

  /** RFC 9110, 15.2: never to an HTTP/1.0 client. */
  #interim(head: ResponseHead): void {
    if (this.#request.minor === 1) this.hasInterim = this.#write(head, "none", true);
  }

  #write(head: ResponseHead, framing: FramingKind, keepAlive: boolean): boolean {
    const outbox = this.#outbox;
    const keepAliveTimeout = this.#request.minor === 1 || keepAlive ? this.#owner.idleS : 0;
    const context = {
      framing,
      keepAlive,
      keepAliveTimeout,
      date: this.#owner.date(),
    };
    const slab = outbox.room(head.size + WRITE_ROOM);
    const end = writeResponseHead(head, context, slab, outbox.end);
    if (end < 0) this.#fail("no room for the answer's head");
    else outbox.end = end;
    return end >= 0;
  }

  #feedBody(bytes: Buffer, at: number, to: number): number {
    const decoder = this.#decoder;
    if (decoder === null) {
      this.#append(bytes, at, to);
      return to;
    }
    const strips = this.#framing === "close" && decoder instanceof ChunkedDecoder;
    const onData = (start: number, end: number): void => {
      this.#outbox.append(bytes, start, end);
    };
    const end = strips ? decoder.decode(bytes, at, to, onData) : decoder.decode(bytes, at, to);
    if (decoder.reject !== null) {
      this.#fail(decoder.reject.reason);
      return end;
    }
    if (!strips) this.#outbox.append(bytes, at, end);
    if (decoder.isDone) this.stage = "whole";
    return end;
  }

  #append(bytes: Buffer, at: number, to: number): void {
    const outbox = this.#outbox;
    if (this.#framing === "chunked") outbox.text(`${(to - at).toString(16)}\r\n`);
    outbox.append(bytes, at, to);
    if (this.#framing === "chunked") outbox.text("\r\n");
  }

  #fail(reason: string): void {
    this.reason = reason;
    this.stage = "bad";
  }
}
