import { byteAt, COLON, CR, IS_TOKEN, IS_VALUE, LF } from "./bytes.ts";
import { REJECT } from "./reject.ts";
import type { Reject } from "./types.ts";

/** RFC 9110, 6.5.1: not what frames, routes or authenticates a message, nor what says who sent it. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "keep-alive",
  "max-forwards",
  "proxy-authorization",
  "proxy-connection",
  "set-cookie",
  "te",
  "teal-error",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
  "x-request-id",
]);

const MOST_BYTES = 8_192;
const MOST_FIELDS = 64;

const STATE = { start: 0, name: 1, value: 2, lineFeed: 3, lastLineFeed: 4 } as const;

/** The trailer section after the last chunk, byte by byte: it is rare. */
export class TrailerSection {
  /** The lines, without their CRLF. */
  readonly lines: string[] = [];
  isDone = false;
  #state: number = STATE.start;
  #line = "";
  #bytes = 0;

  take(buffer: Buffer, at: number): Reject | null {
    const byte = byteAt(buffer, at);
    this.#bytes += 1;
    if (this.#bytes > MOST_BYTES) return REJECT.trailerTooLarge;
    switch (this.#state) {
      case STATE.start:
        if (byte === CR) this.#state = STATE.lastLineFeed;
        else return this.#begin(byte);
        return null;
      case STATE.name:
        return this.#name(byte);
      case STATE.value:
        if (byte === CR) this.#state = STATE.lineFeed;
        else if (IS_VALUE[byte] === 1) this.#line += String.fromCharCode(byte);
        else return REJECT.trailer;
        return null;
      case STATE.lineFeed:
        if (byte !== LF) return REJECT.trailer;
        this.lines.push(this.#line);
        this.#state = STATE.start;
        return null;
      default:
        if (byte !== LF) return REJECT.trailer;
        this.isDone = true;
        return null;
    }
  }

  #begin(byte: number): Reject | null {
    if (IS_TOKEN[byte] !== 1) return REJECT.trailer;
    if (this.lines.length >= MOST_FIELDS) return REJECT.trailerTooLarge;
    this.#line = String.fromCharCode(byte);
    this.#state = STATE.name;
    return null;
  }

  #name(byte: number): Reject | null {
    if (byte === COLON) {
      if (FORBIDDEN.has(this.#line.toLowerCase())) return REJECT.trailerName;
      this.#state = STATE.value;
    } else if (IS_TOKEN[byte] !== 1) return REJECT.trailer;
    this.#line += String.fromCharCode(byte);
    return null;
  }
}
