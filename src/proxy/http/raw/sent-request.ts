import { WRITE_ROOM } from "./message/copy-fields.ts";
import { ChunkedDecoder } from "./message/chunked.ts";
import { LengthDecoder } from "./message/length.ts";
import type { BodyDecoder, RequestContext, RequestHead } from "./message/types.ts";
import { writeRequestHead } from "./message/write-request.ts";
import type { Outbox } from "./outbox.ts";

/** RFC 9110, 9.2.1: doing one twice is doing it once. */
const REPLAYABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** The request as the instance gets it: its head, and where its body stands. One object serves all of a connection. */
export class SentRequest {
  method = "GET";
  /** It may be sent again although an instance may have seen it. */
  isReplayable = false;
  isUpgrade = false;
  /** It asks for a WebSocket and nothing else. */
  isWebSocket = false;
  /** All of it has come from the client. */
  isWhole = true;
  /** Why its body may not be passed on; null while it may. */
  reject: string | null = null;
  readonly #outbox: Outbox;
  /** The head's bytes, for as long as they may have to be sent again. */
  #head: string | null = null;
  #isHeadSent = false;
  #body: BodyDecoder | null = null;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  get isHeadSent(): boolean {
    return this.#isHeadSent;
  }

  /** No final head of an answer came to it yet. */
  get isUnanswered(): boolean {
    return this.#head !== null;
  }

  /** Takes a request's head; false: written anew it would be too large. */
  begin(head: RequestHead, context: RequestContext): boolean {
    const { method, hasBody } = head;
    this.method = method;
    this.isReplayable = !hasBody && REPLAYABLE.has(method);
    this.isUpgrade = head.upgrade !== null;
    this.isWebSocket = head.upgrade?.toLowerCase() === "websocket";
    this.isWhole = !hasBody;
    this.reject = null;
    this.#isHeadSent = false;
    this.#body = bodyOf(head);
    const outbox = this.#outbox;
    const slab = outbox.room(head.size + WRITE_ROOM);
    const end = writeRequestHead(head, context, slab, outbox.end);
    if (end < 0) return false;
    outbox.end = end;
    this.#head = outbox.takeText();
    return true;
  }

  /** Puts the head into the outbox, unless this try has it already. */
  putHead(): void {
    if (this.#isHeadSent || this.#head === null) return;
    this.#isHeadSent = true;
    this.#outbox.text(this.#head);
  }

  /** Puts what belongs to the body into the outbox, behind the head, and returns up to where the bytes did. */
  putBody(bytes: Buffer, from: number, to: number): number {
    const body = this.#body;
    if (body === null) return from;
    const end = body.decode(bytes, from, to);
    if (body.reject !== null) {
      this.reject = body.reject.reason;
      return to;
    }
    this.putHead();
    this.#outbox.append(bytes, from, end);
    this.isWhole = body.isDone;
    return end;
  }

  /** For another try. */
  again(): void {
    this.#isHeadSent = false;
  }

  /** It will not be sent again. */
  settle(): void {
    this.#head = null;
  }

  end(): void {
    this.#head = null;
    this.#body = null;
  }
}

function bodyOf(head: RequestHead): BodyDecoder | null {
  if (!head.hasBody) return null;
  return head.framing === "chunked" ? new ChunkedDecoder() : new LengthDecoder(head.contentLength);
}
