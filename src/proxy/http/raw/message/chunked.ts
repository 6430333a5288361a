import { byteAt, CR, HEX_VALUE, LF } from "./bytes.ts";
import { ChunkExtension } from "./chunk-extension.ts";
import { REJECT } from "./reject.ts";
import { TrailerSection } from "./trailers.ts";
import type { BodyDecoder, Reject } from "./types.ts";

const SEMICOLON = 0x3b;
/** Leading zeros included. */
const MOST_SIZE_DIGITS = 16;
/** Extension bytes per body: nobody uses them, and each byte of them is work without content. */
const MOST_EXTENSION_BYTES = 4_096;

const STATE = { size: 0, extension: 1, sizeLineFeed: 2, data: 3, dataReturn: 4, dataLineFeed: 5, trailers: 6 } as const;
const NONE: readonly string[] = [];

/** The chunked coding of RFC 9112, 7.1, strictly: CRLF alone ends lines, sizes are hexadecimal digits alone. */
export class ChunkedDecoder implements BodyDecoder {
  isDone = false;
  reject: Reject | null = null;
  #state: number = STATE.size;
  #size = 0;
  #digits = 0;
  /** Bytes of the current chunk still to come. */
  #left = 0;
  #extension: ChunkExtension | null = null;
  #extensionBytes = 0;
  #trailers: TrailerSection | null = null;

  /** Trailer lines as they came, `Name: value`; whole only when the body is done. */
  get trailers(): readonly string[] {
    return this.#trailers?.lines ?? NONE;
  }

  /** Between two chunks, where the last one may stand. */
  get isAtBorder(): boolean {
    return this.#state === STATE.size && this.#digits === 0;
  }

  decode(buffer: Buffer, start: number, end: number, onData?: (start: number, end: number) => void): number {
    let at = start;
    while (at < end && !this.isDone && this.reject === null) {
      if (this.#state === STATE.data) {
        const to = at + Math.min(this.#left, end - at);
        this.#left -= to - at;
        onData?.(at, to);
        at = to;
        if (this.#left === 0) this.#state = STATE.dataReturn;
        continue;
      }
      this.reject = this.#takeByte(buffer, at);
      if (this.reject === null) at += 1;
    }
    return at;
  }

  #takeByte(buffer: Buffer, at: number): Reject | null {
    switch (this.#state) {
      case STATE.size:
        return this.#takeSize(byteAt(buffer, at));
      case STATE.extension:
        return this.#takeExtension(buffer, at);
      case STATE.sizeLineFeed:
        return this.#endSize(byteAt(buffer, at));
      case STATE.dataReturn:
        this.#state = STATE.dataLineFeed;
        return byteAt(buffer, at) === CR ? null : REJECT.chunkEnd;
      case STATE.dataLineFeed:
        this.#state = STATE.size;
        return byteAt(buffer, at) === LF ? null : REJECT.chunkEnd;
      default:
        return this.#takeTrailer(buffer, at);
    }
  }

  #takeSize(byte: number): Reject | null {
    const digit = HEX_VALUE[byte] as number;
    if (digit < 16) {
      this.#size = this.#size * 16 + digit;
      this.#digits += 1;
      return this.#digits > MOST_SIZE_DIGITS || this.#size > Number.MAX_SAFE_INTEGER ? REJECT.chunkSize : null;
    }
    if (this.#digits === 0) return REJECT.chunkSize;
    if (byte === CR) this.#state = STATE.sizeLineFeed;
    else if (byte === SEMICOLON) {
      this.#extension ??= new ChunkExtension();
      this.#extension.reset();
      this.#state = STATE.extension;
    } else return REJECT.chunkSize;
    return null;
  }

  #takeExtension(buffer: Buffer, at: number): Reject | null {
    this.#extensionBytes += 1;
    if (this.#extensionBytes > MOST_EXTENSION_BYTES) return REJECT.chunkExtension;
    const extension = this.#extension;
    if (byteAt(buffer, at) === CR) {
      this.#state = STATE.sizeLineFeed;
      return extension?.mayEnd === true ? null : REJECT.chunkExtension;
    }
    return extension?.take(buffer, at) === true ? null : REJECT.chunkExtension;
  }

  #endSize(byte: number): Reject | null {
    if (byte !== LF) return REJECT.chunkSize;
    if (this.#size === 0) {
      this.#trailers = new TrailerSection();
      this.#state = STATE.trailers;
      return null;
    }
    this.#left = this.#size;
    this.#size = 0;
    this.#digits = 0;
    this.#state = STATE.data;
    return null;
  }

  #takeTrailer(buffer: Buffer, at: number): Reject | null {
    const section = this.#trailers;
    const wrong = section?.take(buffer, at) ?? null;
    if (section?.isDone === true) this.isDone = true;
    return wrong;
  }
}
