import { ChunkedCrc } from "./chunked-crc.ts";

const HEAD = Buffer.from(`{"version":1,"services":[`);
const TAIL = Buffer.from("]}");
const COMMA = 0x2c;
const SPACE = 0x20;

/** Where a service stands: its separator, its text, and spaces up to the end of its room. */
interface Place {
  readonly at: number;
  /** Both without the separator. */
  readonly room: number;
  length: number;
}

/** Room is left for a deployment that begins, and for its latch. */
const spareOf = (length: number): number => 64 + (length >> 2);
/** What may lie idle before all is laid out anew, beside half of what is needed. */
const IDLE_BYTES = 65_536;

/**
 * The services of a snapshot as the bytes that are written, kept so that a change costs no more than what has changed. To
 * JSON, white space between values is nothing: it fills the room that a service does not need, and its old place when it
 * has moved to the end.
 */
export class SnapshotImage {
  readonly #most: number;
  /** In the order of their bytes. */
  readonly #places = new Map<string, Place>();
  /** What is to be in it the next time that it is taken; until then its bytes may be being written. */
  readonly #staged = new Map<string, Buffer>();
  readonly #crc = new ChunkedCrc();
  #bytes = Buffer.concat([HEAD, TAIL]);
  /** Where the tail is. */
  #end = HEAD.length;
  /** Of the texts alone, staged ones in place of theirs. */
  #needed = 0;

  /** @param most bytes that it may have, if what it holds allows */
  constructor(most: number) {
    this.#most = most;
  }

  set(name: string, text: Buffer): void {
    this.#needed += text.length - this.#lengthOf(name);
    this.#staged.set(name, text);
  }

  /** Fewest bytes that would do, with this in it. */
  bytesWith(name: string, text: Buffer): number {
    const others = this.#needed - this.#lengthOf(name);
    return leastBytes(others + text.length, this.#count + (this.#isKnown(name) ? 0 : 1));
  }

  /** The whole, with all that was set. The bytes stay as they are until this is called again. */
  take(): { readonly bytes: Uint8Array; readonly checksum: (seed: number) => number } {
    for (const [name, text] of this.#staged) this.#put(name, text);
    this.#staged.clear();
    const least = leastBytes(this.#needed, this.#places.size);
    if (this.#length > this.#most || this.#length > least + (least >> 1) + IDLE_BYTES) this.#layOut();
    const bytes = this.#bytes.subarray(0, this.#length);
    return { bytes, checksum: (seed) => this.#crc.of(bytes, seed) };
  }

  get #length(): number {
    return this.#end + TAIL.length;
  }

  get #count(): number {
    let added = 0;
    for (const name of this.#staged.keys()) if (!this.#places.has(name)) added += 1;
    return this.#places.size + added;
  }

  #isKnown(name: string): boolean {
    return this.#places.has(name) || this.#staged.has(name);
  }

  #lengthOf(name: string): number {
    return this.#staged.get(name)?.length ?? this.#places.get(name)?.length ?? 0;
  }

  #put(name: string, text: Buffer): void {
    const place = this.#places.get(name);
    if (place === undefined || text.length > place.room) {
      if (place !== undefined) this.#leave(name, place);
      this.#append(name, text, spareOf(text.length));
      return;
    }
    this.#write(text, place.at + 1);
    if (text.length < place.length) this.#blank(place.at + 1 + text.length, place.at + 1 + place.length);
    place.length = text.length;
  }

  #leave(name: string, { at, length }: Place): void {
    this.#places.delete(name);
    this.#blank(at, at + 1 + length);
    // The first one has no comma before it.
    const [first] = this.#places.values();
    if (first !== undefined) this.#blank(first.at, first.at + 1);
  }

  #append(name: string, text: Buffer, spare: number): void {
    const at = this.#end;
    const room = text.length + spare;
    this.#end = at + 1 + room;
    this.#reserve(this.#length);
    const isFirst = this.#places.size === 0;
    this.#blank(at, this.#end);
    if (!isFirst) this.#bytes[at] = COMMA;
    this.#write(text, at + 1);
    this.#write(TAIL, this.#end);
    this.#places.set(name, { at, room, length: text.length });
  }

  /** All of it, one after the other; with spare room while there is enough. */
  #layOut(): void {
    const before = this.#bytes;
    const places = [...this.#places];
    const left = this.#most - leastBytes(this.#needed, places.length);
    const most = Math.max(0, Math.floor(left / 2 / Math.max(1, places.length)));
    this.#places.clear();
    this.#bytes = Buffer.allocUnsafeSlow(before.length);
    this.#end = 0;
    this.#write(HEAD, 0);
    this.#end = HEAD.length;
    for (const [name, { at, length }] of places)
      this.#append(name, before.subarray(at + 1, at + 1 + length), Math.min(spareOf(length), most));
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length));
    this.#bytes.copy(larger);
    this.#bytes = larger;
  }

  #write(bytes: Buffer, at: number): void {
    bytes.copy(this.#bytes, at);
    this.#crc.changed(at, at + bytes.length);
  }

  #blank(from: number, to: number): void {
    this.#bytes.fill(SPACE, from, to);
    this.#crc.changed(from, to);
  }
}

/** Each has a separator: the first a space. */
function leastBytes(texts: number, count: number): number {
  return HEAD.length + texts + count + TAIL.length;
}
