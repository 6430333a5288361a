import type { Socket } from "node:net";

const SLAB_BYTES = 262_144;

/**
 * Memory in which messages are put together before they are written in one piece. What the kernel took at once leaves
 * no trace; what it did not take keeps its part of the slab until it has.
 */
export class Outbox {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #start = 0;
  #end = 0;

  /** The slab, with room for `bytes` more behind `end`; what is being put together moves along. */
  room(bytes: number): Buffer {
    if (this.#end + bytes <= this.#slab.length) return this.#slab;
    const size = this.#end - this.#start;
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, size + bytes));
    this.#slab.copy(slab, 0, this.#start, this.#end);
    this.#slab = slab;
    this.#start = 0;
    this.#end = size;
    return slab;
  }

  get end(): number {
    return this.#end;
  }

  /** Bytes up to here are written, by the caller, into what `room` gave. */
  set end(end: number) {
    this.#end = end;
  }

  append(bytes: Buffer, from: number, to: number): void {
    if (from >= to) return;
    const slab = this.room(to - from);
    bytes.copy(slab, this.#end, from, to);
    this.#end += to - from;
  }

  text(latin1: string): void {
    const slab = this.room(latin1.length);
    this.#end += slab.write(latin1, this.#end, "latin1");
  }

  /** What was put together, for a caller that keeps it: slabs are too large to be kept. */
  takeText(): string {
    const text = this.#slab.toString("latin1", this.#start, this.#end);
    this.#end = this.#start;
    return text;
  }

  discard(): void {
    this.#end = this.#start;
  }

  /** Writes what was put together. */
  sendTo(socket: Socket): void {
    const from = this.#start;
    if (this.#end === from) return;
    socket.write(this.#slab.subarray(from, this.#end));
    if (socket.writableLength === 0) this.#end = from;
    else this.#start = this.#end;
  }
}
