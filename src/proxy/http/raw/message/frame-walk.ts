import { byteAt } from "./bytes.ts";

/** RFC 6455, 5.2. */
const CLOSE = 0x8;
const LONGEST_HEAD = 14;

/**
 * Follows the frames of one direction of a WebSocket (RFC 6455, 5.2) without looking at what they carry: between two of
 * them a frame of our own may stand, also between the parts of a message (5.4: control frames may).
 */
export class FrameWalk {
  /** A Close frame has begun: nothing may come behind it (5.5.1). */
  isClosing = false;
  readonly #head = new Uint8Array(LONGEST_HEAD);
  #headSize = 0;
  /** Payload bytes of the current frame still to come. */
  #left = 0;

  get isAtBorder(): boolean {
    return this.#headSize === 0 && this.#left === 0;
  }

  /** Walks over bytes, and returns up to where: to the end, or with `stops` to the first border behind `from`. */
  take(bytes: Buffer, from: number, to: number, stops = false): number {
    let at = from;
    while (at < to) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, to - at);
        this.#left -= step;
        at += step;
      } else {
        this.#head[this.#headSize] = byteAt(bytes, at);
        this.#headSize += 1;
        at += 1;
        this.#readHead();
      }
      if (stops && this.isAtBorder) return at;
    }
    return at;
  }

  #readHead(): void {
    if (this.#headSize < 2) return;
    const [first = 0, second = 0] = this.#head;
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskBytes = (second & 0x80) === 0 ? 0 : 4;
    if (this.#headSize < 2 + lengthBytes + maskBytes) return;
    let length = lengthBytes === 0 ? short : 0;
    for (let i = 0; i < lengthBytes; i += 1) length = length * 256 + (this.#head[2 + i] ?? 0);
    this.#left = length;
    this.#headSize = 0;
    if ((first & 0x0f) === CLOSE) this.isClosing = true;
  }
}

/** A server's Close frame with code 1001, "going away" (RFC 6455, 7.4.1). */
export const GOING_AWAY: Buffer = Buffer.from([0x88, 0x02, 0x03, 0xe9]);
