import type { BodyDecoder } from "./types.ts";

/** A body of a known length. */
export class LengthDecoder implements BodyDecoder {
  readonly reject = null;
  /** Bytes still to come. */
  left: number;

  constructor(length: number) {
    this.left = length;
  }

  get isDone(): boolean {
    return this.left === 0;
  }

  decode(_buffer: Buffer, start: number, end: number, onData?: (start: number, end: number) => void): number {
    const to = start + Math.min(this.left, end - start);
    this.left -= to - start;
    if (to > start) onData?.(start, to);
    return to;
  }
}
