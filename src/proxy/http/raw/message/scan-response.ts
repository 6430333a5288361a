import { byteAt, CR, IS_VALUE, LF, NINE, SP, ZERO } from "./bytes.ts";
import { FIELD, type FieldId, valueOf } from "./field.ts";
import { HeadScan, lineEnd, type Step } from "./head-scan.ts";
import { REJECT } from "./reject.ts";
import type { FramingKind, HeadLimits, HeadResult, Reject, ResponseHead } from "./types.ts";
import { upgradeOf } from "./upgrade.ts";

const VERSION = Buffer.from("HTTP/1.");
/** `HTTP/1.1 200` */
const STATUS_BYTES = 12;

/** What the request that is answered says about the answer. */
export interface AnsweredRequest {
  readonly method: string;
}

class ResponseScan extends HeadScan implements ResponseHead {
  framing: FramingKind = "none";
  status = 0;
  keepAliveTimeout = -1;
  isEventStream = false;
  hasDate = false;
  isPlainLine = true;
  readonly #isToHead: boolean;
  #hasStatus = false;

  constructor(source: Buffer, base: number, isToHead: boolean) {
    super(source, base);
    this.#isToHead = isToHead;
  }

  protected firstLine(buffer: Buffer, base: number, end: number): Step {
    if (!this.#hasStatus) {
      const step = this.#takeStatus(buffer, base, end);
      if (step !== true) return step;
    }
    let at = base + this.at;
    while (at < end && IS_VALUE[byteAt(buffer, at)] === 1) at += 1;
    this.at = at - base;
    if (at >= end) return false;
    const step = lineEnd(buffer, at, end);
    if (step === true) this.at = this.lineStart = at + 2 - base;
    return step === REJECT.value ? REJECT.statusLine : step;
  }

  #takeStatus(buffer: Buffer, base: number, end: number): Step {
    const has = Math.min(end - base, STATUS_BYTES);
    let status = 0;
    for (let i = 0; i < has; i += 1) {
      const byte = byteAt(buffer, base + i);
      if (!isStatusByte(byte, i)) return REJECT.statusLine;
      if (i === 7) this.minor = byte === ZERO ? 0 : 1;
      if (i > 8) status = status * 10 + (byte - ZERO);
    }
    if (end - base <= STATUS_BYTES) return false;
    const next = byteAt(buffer, base + STATUS_BYTES);
    if (status < 100 || (next !== SP && next !== CR && next !== LF)) return REJECT.statusLine;
    this.status = status;
    this.isPlainLine = this.minor === 1 && next === SP;
    this.at = STATUS_BYTES;
    this.#hasStatus = true;
    return true;
  }

  protected ownField(id: FieldId, start: number, end: number): Reject | null {
    if (id === FIELD.date) this.hasDate = true;
    else if (id === FIELD.contentType) this.isEventStream = isEventStream(this.source, start, end);
    else if (id === FIELD.keepAlive) {
      const seconds = /(?:^|[,; \t])timeout=(\d{1,9})(?:$|[,; \t])/i.exec(this.source.toString("latin1", start, end));
      if (seconds !== null) this.keepAliveTimeout = Number(seconds[1]);
    }
    return null;
  }

  protected finish(): Reject | null {
    const wrong = this.checkFraming();
    if (wrong !== null) return wrong;
    const { status } = this;
    const isChunked = this.has(FIELD.transferEncoding);
    if (status < 200 || status === 204) {
      // RFC 9112, 6.3: there is no body whatever the fields say; who says otherwise may send one all the same.
      if (isChunked || this.contentLength > 0) this.keepAlive = false;
    } else if (this.#isToHead || status === 304) this.framing = "none";
    else if (isChunked) this.framing = "chunked";
    else if (this.contentLength >= 0) this.framing = this.contentLength > 0 ? "length" : "none";
    else this.framing = "close";
    if (this.framing === "close") this.keepAlive = false;
    if (status === 101 && this.connectionTokens?.includes("upgrade") === true)
      this.upgrade = upgradeOf(valueOf(this, FIELD.upgrade) ?? "");
    return null;
  }
}

function isStatusByte(byte: number, index: number): boolean {
  if (index < 7) return byte === VERSION[index];
  if (index === 7) return byte === ZERO || byte === 0x31;
  if (index === 8) return byte === SP;
  return byte >= ZERO && byte <= NINE;
}

const EVENT_STREAM = /^text\/event-stream(?:$|[; \t])/i;

function isEventStream(buffer: Buffer, start: number, end: number): boolean {
  // "text/e" begins no other common type: most answers cost two loads here.
  if (end - start < 17 || (byteAt(buffer, start + 5) | 0x20) !== 0x65) return false;
  return EVENT_STREAM.test(buffer.toString("latin1", start, end));
}

/** Reads the head of an instance's answer. `progress`: of an earlier call that was incomplete. */
export function scanResponseHead(
  buffer: Buffer,
  start: number,
  end: number,
  context: { readonly request: AnsweredRequest; readonly limits: HeadLimits },
  progress?: ResponseHead,
): HeadResult<ResponseHead> {
  const scan =
    progress instanceof ResponseScan ? progress : new ResponseScan(buffer, start, context.request.method === "HEAD");
  return scan.scan(buffer, start, end, context.limits);
}
