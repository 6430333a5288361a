const NOTHING = Buffer.alloc(0);
const SMALLEST_BYTES = 1_024;

/** Bytes that came and cannot be used yet; holds no memory while there are none. */
export class Backlog {
  #buffer: Buffer = NOTHING;
  #start = 0;
  #end = 0;

  get buffer(): Buffer {
    return this.#buffer;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  get size(): number {
    return this.#end - this.#start;
  }

  append(bytes: Buffer, from: number, to: number): void {
    const more = to - from;
    if (this.#end + more > this.#buffer.length) this.#grow(more);
    bytes.copy(this.#buffer, this.#end, from, to);
    this.#end += more;
  }

  drop(bytes: number): void {
    this.#start += bytes;
    if (this.#start < this.#end) return;
    this.clear();
  }

  clear(): void {
    this.#buffer = NOTHING;
    this.#start = 0;
    this.#end = 0;
  }

  #grow(more: number): void {
    const { size } = this;
    const grown = Buffer.allocUnsafeSlow(Math.max(SMALLEST_BYTES, 2 * size, size + more));
    this.#buffer.copy(grown, 0, this.#start, this.#end);
    this.#buffer = grown;
    this.#start = 0;
    this.#end = size;
  }
}
