import { byteAt, CR, IS_TARGET, IS_TOKEN, isWord, LF, NINE, SP, ZERO } from "./bytes.ts";
import { FIELD, type FieldId, valueOf } from "./field.ts";
import { HeadScan, type Step } from "./head-scan.ts";
import { isHost } from "./host.ts";
import { LONGEST_METHOD, methodOf } from "./method.ts";
import { REJECT } from "./reject.ts";
import type { HeadLimits, HeadResult, Reject, RequestHead } from "./types.ts";
import { upgradeOf } from "./upgrade.ts";

const PHASE = { emptyLines: 0, method: 1, target: 2, version: 3 } as const;
const SLASH = 0x2f;
const ONE = 0x31;
/** RFC 8446, 5.1: the content type of a record that carries a ClientHello. */
const TLS_HANDSHAKE = 0x16;
const VERSION = Buffer.from("HTTP/");
const CONTINUE = Buffer.from("100-continue");
const TRAILERS = Buffer.from("trailers");
const MOST_REQUEST_ID = 128;

class RequestScan extends HeadScan implements RequestHead {
  method = "GET";
  target = "/";
  host = "";
  framing: "none" | "length" | "chunked" = "none";
  hasBody = false;
  expectContinue = false;
  takesTrailers = false;
  hasRequestId = false;
  isPlainLine = true;
  isPlainHost = false;
  #phase: number = PHASE.emptyLines;
  #targetStart = 0;

  protected firstLine(buffer: Buffer, base: number, end: number, limits: HeadLimits): Step {
    let step: Step = true;
    if (this.#phase === PHASE.emptyLines) step = this.#skipEmptyLines(buffer, base, end);
    if (step === true && this.#phase === PHASE.method) step = this.#takeMethod(buffer, base, end);
    if (step === true && this.#phase === PHASE.target) step = this.#takeTarget(buffer, base, end, limits);
    if (step === true) step = this.#takeVersion(buffer, base, end);
    return step;
  }

  /** RFC 9112, 2.2: empty lines before a request are ignored. */
  #skipEmptyLines(buffer: Buffer, base: number, end: number): Step {
    for (let at = base + this.at; at < end; at += 2) {
      const byte = byteAt(buffer, at);
      if (byte !== CR && byte !== LF) {
        this.#phase = PHASE.method;
        return true;
      }
      if (byte === LF) return REJECT.emptyLine;
      if (at + 1 >= end) return false;
      if (byteAt(buffer, at + 1) !== LF) return REJECT.emptyLine;
      this.at = this.line = at + 2 - base;
    }
    return false;
  }

  #takeMethod(buffer: Buffer, base: number, end: number): Step {
    const start = base + this.line;
    let at = start;
    while (at < end && IS_TOKEN[byteAt(buffer, at)] === 1) at += 1;
    if (at - start > LONGEST_METHOD) return REJECT.unknownMethod;
    if (at >= end) return false;
    if (at === start && byteAt(buffer, at) === TLS_HANDSHAKE) return REJECT.tls;
    if (byteAt(buffer, at) !== SP || at === start) return REJECT.method;
    const method = methodOf(buffer, start, at);
    if (method === null) return refusedMethod(buffer.toString("latin1", start, at));
    this.method = method;
    this.at = this.#targetStart = at + 1 - base;
    this.#phase = PHASE.target;
    return true;
  }

  #takeTarget(buffer: Buffer, base: number, end: number, limits: HeadLimits): Step {
    const start = base + this.#targetStart;
    const last = Math.min(end, start + limits.targetBytes + 1);
    let at = base + this.at;
    while (at < last && IS_TARGET[byteAt(buffer, at)] === 1) at += 1;
    this.at = at - base;
    if (at - start > limits.targetBytes) return REJECT.longTarget;
    if (at >= end) return false;
    const byte = byteAt(buffer, at);
    // HTTP/0.9 has no version.
    if (byte === CR || byte === LF) return REJECT.version;
    if (byte !== SP || at === start) return REJECT.target;
    this.target = buffer.toString("latin1", start, at);
    if (byteAt(buffer, start) !== SLASH && !this.#takeOtherForm(buffer, start)) return REJECT.target;
    this.at += 1;
    this.#phase = PHASE.version;
    return true;
  }

  /** RFC 9112, 3.2.2 and 3.2.4: absolute form, and `*` for the server as a whole. */
  #takeOtherForm(buffer: Buffer, start: number): boolean {
    const { target, method } = this;
    if (target === "*") return method === "OPTIONS";
    const [, scheme, authority, path] = /^(http:\/\/)([^/?]*)(.*)$/i.exec(target) ?? [];
    if (scheme === undefined || authority === undefined || path === undefined) return false;
    const from = start + scheme.length;
    if (authority === "" || !isHost(buffer, from, from + authority.length)) return false;
    this.isPlainLine = false;
    this.host = authority;
    if (path === "") this.target = method === "OPTIONS" ? "*" : "/";
    else this.target = path.startsWith("/") ? path : `/${path}`;
    return true;
  }

  /** `HTTP/1.0` or `HTTP/1.1` and CRLF. */
  #takeVersion(buffer: Buffer, base: number, end: number): Step {
    const start = base + this.at;
    const has = Math.min(end - start, 10);
    for (let i = 0; i < has; i += 1) {
      const byte = byteAt(buffer, start + i);
      if (!isVersionByte(byte, i)) return REJECT.version;
      if (i !== 7) continue;
      if (byteAt(buffer, start + 5) !== ONE || (byte !== ZERO && byte !== ONE)) return REJECT.unknownVersion;
      this.minor = byte === ZERO ? 0 : 1;
    }
    if (has < 10) return false;
    if (this.minor === 0) this.isPlainLine = false;
    this.at = this.lineStart = start + 10 - base;
    return true;
  }

  protected ownField(id: FieldId, start: number, end: number): Reject | null {
    const { source } = this;
    switch (id) {
      case FIELD.host:
        return this.#takeHost(start, end);
      case FIELD.expect:
        this.expectContinue = isWord(source, start, end, CONTINUE);
        return null;
      case FIELD.te:
        this.takesTrailers = isWord(source, start, end, TRAILERS);
        return null;
      case FIELD.xRequestId:
        this.hasRequestId = isRequestId(source, start, end);
        return null;
      default:
        return null;
    }
  }

  #takeHost(start: number, end: number): Reject | null {
    if (this.isRepeated(FIELD.host)) return REJECT.repeatedHost;
    if (!isHost(this.source, start, end)) return REJECT.host;
    // The host of a target in absolute form wins.
    if (this.host !== "") return null;
    this.host = this.source.toString("latin1", start, end);
    this.isPlainHost = this.isPlainField;
    return null;
  }

  protected finish(): Reject | null {
    const wrong = this.checkFraming();
    if (wrong !== null) return wrong;
    if (!this.has(FIELD.host) && this.minor === 1) return REJECT.noHost;
    if (this.has(FIELD.transferEncoding)) this.framing = "chunked";
    else if (this.contentLength > 0) this.framing = "length";
    this.hasBody = this.framing !== "none";
    if (this.isRepeated(FIELD.xRequestId)) this.hasRequestId = false;
    if (!this.hasBody || this.minor === 0 || this.isRepeated(FIELD.expect)) this.expectContinue = false;
    if (this.connectionTokens === null || !this.has(FIELD.upgrade)) return null;
    this.#takeUpgrade(this.connectionTokens);
    return this.upgrade !== null && this.hasBody ? REJECT.upgradeWithBody : null;
  }

  /** RFC 9110, 7.8: not from HTTP/1.0, and only when Connection names it. Switched is on a GET, as WebSockets do. */
  #takeUpgrade(tokens: readonly string[]): void {
    if (this.minor === 0 || this.method !== "GET" || !tokens.includes("upgrade")) return;
    this.upgrade = upgradeOf(valueOf(this, FIELD.upgrade) ?? "");
  }
}

function refusedMethod(method: string): Reject {
  if (method === "CONNECT") return REJECT.connect;
  // The preface of HTTP/2.
  return method === "PRI" ? REJECT.http2 : REJECT.unknownMethod;
}

function isVersionByte(byte: number, index: number): boolean {
  if (index < 5) return byte === VERSION[index];
  if (index === 6) return byte === 0x2e;
  if (index === 8) return byte === CR;
  if (index === 9) return byte === LF;
  return byte >= ZERO && byte <= NINE;
}

function isRequestId(buffer: Buffer, start: number, end: number): boolean {
  if (start === end || end - start > MOST_REQUEST_ID) return false;
  for (let at = start; at < end; at += 1) {
    const byte = byteAt(buffer, at);
    if (byte <= SP || byte >= 0x7f) return false;
  }
  return true;
}

/** Reads the head of a request in [start, end) of `buffer`. `progress`: of an earlier call that was incomplete. */
export function scanRequestHead(
  buffer: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
  progress?: RequestHead,
): HeadResult<RequestHead> {
  const scan = progress instanceof RequestScan ? progress : new RequestScan(buffer, start);
  return scan.scan(buffer, start, end, limits);
}
