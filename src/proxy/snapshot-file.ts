import { closeSync, constants, fdatasync, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { promisify } from "node:util";

const fdatasyncLater = promisify(fdatasync);

const MAGIC = 0x7ea15a01;
/** magic u32, length u32, sequence f64, CRC-32 of sequence and payload u32; padded. */
const HEADER_BYTES = 32;
export const SLOT_BYTES = 4 * 1024 * 1024;
const PAYLOAD_BYTES = SLOT_BYTES - HEADER_BYTES;

interface Slot {
  readonly index: 0 | 1;
  readonly sequence: number;
  readonly payload: string;
}

/**
 * Two preallocated slots, written in turn: a full disk cannot stop a write, and a torn one leaves the other. A write is
 * in the kernel's hands (it survives `kill -9`) when `save` resolves, and on the disk soon after; the next one waits for that.
 */
export class SnapshotFile {
  readonly #fd: number;
  readonly #onError: (error: unknown) => void;
  #newest: Slot | null;
  #synced: Promise<void> = Promise.resolve();
  #wanted: () => string = () => "";
  #writing: Promise<void> | null = null;

  /** @throws when the file cannot be made: disk full, no permission */
  constructor(path: string, onError: (error: unknown) => void) {
    this.#fd = open(path);
    this.#onError = onError;
    this.#newest = this.#readNewest();
  }

  /** The newest whole snapshot; null: there is none. */
  get payload(): string | null {
    return this.#newest?.payload ?? null;
  }

  /** With `spareBytes` left. */
  static fits(payloadBytes: number, spareBytes = 0): boolean {
    return payloadBytes + spareBytes <= PAYLOAD_BYTES;
  }

  /**
   * Writes the newest payload, made when it is written; those that came while one was being written are written as one.
   * Never rejects.
   */
  save(payload: () => string): Promise<void> {
    this.#wanted = payload;
    this.#writing ??= this.#synced.then(() => {
      this.#writing = null;
      this.#write(this.#wanted());
    });
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#synced;
    closeSync(this.#fd);
  }

  #write(payload: string): void {
    try {
      // Beyond its slot it would tear the other one, too.
      const size = Buffer.byteLength(payload);
      if (!SnapshotFile.fits(size)) throw new Error(`${String(size)} bytes do not fit in a slot`);
      // During a replacement another proxy may have written last.
      if (this.#isOutrun()) this.#newest = this.#readNewest();
      const index = this.#newest?.index === 0 ? 1 : 0;
      const sequence = (this.#newest?.sequence ?? 0) + 1;
      const bytes = encode(sequence, payload);
      writeSync(this.#fd, bytes, 0, bytes.length, index * SLOT_BYTES);
      this.#newest = { index, sequence, payload };
      this.#synced = fdatasyncLater(this.#fd).catch(this.#onError);
    } catch (thrown) {
      this.#onError(thrown);
    }
  }

  #isOutrun(): boolean {
    const known = this.#newest?.sequence ?? 0;
    return ([0, 1] as const).some((index) => (readHeader(this.#fd, index)?.sequence ?? 0) > known);
  }

  #readNewest(): Slot | null {
    const slots = ([0, 1] as const).map((index) => readSlot(this.#fd, index)).filter((slot) => slot !== null);
    return slots.reduce<Slot | null>(
      (best, slot) => (best === null || slot.sequence > best.sequence ? slot : best),
      null,
    );
  }
}

/** Opens the file, and gives it its whole size in real blocks when it is new. */
function open(path: string): number {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  if (fstatSync(fd).size === 2 * SLOT_BYTES) return fd;
  const zeros = Buffer.alloc(64 * 1024);
  for (let at = fstatSync(fd).size; at < 2 * SLOT_BYTES;) {
    at += writeSync(fd, zeros, 0, Math.min(zeros.length, 2 * SLOT_BYTES - at), at);
  }
  fsyncSync(fd);
  return fd;
}

function encode(sequence: number, payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  const bytes = Buffer.alloc(HEADER_BYTES + length);
  bytes.write(payload, HEADER_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(length, 4);
  bytes.writeDoubleLE(sequence, 8);
  bytes.writeUInt32LE(checksum(bytes.subarray(8, 16), bytes.subarray(HEADER_BYTES)), 16);
  return bytes;
}

function checksum(sequence: Uint8Array, payload: Uint8Array): number {
  return crc32(payload, crc32(sequence));
}

function readHeader(
  fd: number,
  index: 0 | 1,
): { length: number; sequence: number; crc: number; sequenceBytes: Uint8Array } | null {
  const header = Buffer.alloc(HEADER_BYTES);
  if (readSync(fd, header, 0, HEADER_BYTES, index * SLOT_BYTES) < HEADER_BYTES) return null;
  const length = header.readUInt32LE(4);
  if (header.readUInt32LE(0) !== MAGIC || length > PAYLOAD_BYTES) return null;
  return {
    length,
    sequence: header.readDoubleLE(8),
    crc: header.readUInt32LE(16),
    sequenceBytes: header.subarray(8, 16),
  };
}

function readSlot(fd: number, index: 0 | 1): Slot | null {
  const header = readHeader(fd, index);
  if (header === null) return null;
  const payload = Buffer.alloc(header.length);
  const read = readSync(fd, payload, 0, header.length, index * SLOT_BYTES + HEADER_BYTES);
  if (read !== header.length || checksum(header.sequenceBytes, payload) !== header.crc) return null;
  return { index, sequence: header.sequence, payload: payload.toString() };
}
