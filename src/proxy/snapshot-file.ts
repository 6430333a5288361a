import { closeSync, constants, fdatasync, fstatSync, fsyncSync, openSync, readSync, writeSync, writev } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { promisify } from "node:util";

import type { Clock, Milliseconds } from "../model/time.ts";

const fdatasyncLater = promisify(fdatasync);
const writevLater = promisify(writev);

const MAGIC = 0x7ea15a01;
/** magic u32, length u32, sequence f64, CRC-32 of sequence and payload u32; padded. */
const HEADER_BYTES = 32;
export const SLOT_BYTES = 4 * 1024 * 1024;
export const PAYLOAD_BYTES = SLOT_BYTES - HEADER_BYTES;

/** What takes this thread some milliseconds has at most a quarter of its time: it rests three times as long. */
const REST_FACTOR = 3;
/** What a write of few services takes is not worth a rest. */
const UNNOTICED_MS: Milliseconds = 1;
/** The disk is others' as well: what is large is written at about 64 MiB in a second at most. */
const BYTES_PER_MS = (64 * 1024 * 1024) / 1_000;
/** The thread may have stood still for another reason. */
const LONGEST_REST_MS: Milliseconds = 50;

interface Slot {
  readonly index: 0 | 1;
  readonly sequence: number;
}

/** What is written, and its CRC-32 that goes on from a seed. The bytes stay as they are until they are asked for again. */
interface Payload {
  readonly bytes: Uint8Array;
  readonly checksum: (seed: number) => number;
}

/** A write that is over. */
export interface Written {
  /** Whether it is on the disk, as soon as that is known; not where it failed. Never rejects. */
  readonly isDurable: Promise<boolean>;
}

/**
 * Two preallocated slots, written in turn: a full disk cannot stop a write, and a torn one leaves the other. A write is
 * in the kernel's hands (it survives `kill -9`) when `save` resolves, and on the disk (it survives a power cut) soon after;
 * the next one waits for that.
 */
export class SnapshotFile {
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #closing = new AbortController();
  #newest: Slot | null;
  #synced: Promise<void> = Promise.resolve();
  #wanted: (() => Payload) | null = null;
  #writing: Promise<Written> | null = null;

  /** @throws when the file cannot be made: disk full, no permission */
  constructor(path: string, clock: Clock, onError: (error: unknown) => void) {
    this.#fd = open(path);
    this.#clock = clock;
    this.#onError = onError;
    this.#newest = wholeSlots(this.#fd).at(-1) ?? null;
  }

  /** The newest whole snapshot; null: there is none. */
  read(): string | null {
    return wholeSlots(this.#fd).at(-1)?.payload.toString() ?? null;
  }

  /** With `spareBytes` left. */
  static fits(payloadBytes: number, spareBytes = 0): boolean {
    return payloadBytes + spareBytes <= PAYLOAD_BYTES;
  }

  /**
   * Writes the newest payload, made when it is written; those that came while one was being written are written as one.
   * Never rejects.
   */
  save(payload: () => Payload): Promise<Written> {
    this.#wanted = payload;
    this.#writing ??= this.#synced.then(() => {
      this.#writing = null;
      return this.#write(this.#wanted ?? payload);
    });
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
    await this.#synced;
    closeSync(this.#fd);
  }

  /** Off this thread: the kernel keeps a writer waiting while it writes back, for as long as a busy disk takes. */
  async #write(newest: () => Payload): Promise<Written> {
    const begun = this.#clock.monotonic();
    const over = Promise.withResolvers<undefined>();
    this.#synced = over.promise;
    try {
      const { bytes, checksum } = newest();
      // Beyond its slot it would tear the other one, too.
      if (!SnapshotFile.fits(bytes.length)) throw new Error(`${String(bytes.length)} bytes do not fit in a slot`);
      // During a replacement another proxy may have written last.
      if (this.#isOutrun()) this.#newest = wholeSlots(this.#fd).at(-1) ?? null;
      const index = this.#newest?.index === 0 ? 1 : 0;
      const sequence = (this.#newest?.sequence ?? 0) + 1;
      const header = headerOf(sequence, bytes.length, checksum);
      const tookMs = this.#clock.monotonic() - begun;
      await this.#writeAll(header, bytes, index * SLOT_BYTES);
      this.#newest = { index, sequence };
      const isDurable = this.#sync();
      void Promise.all([isDurable, this.#rest(tookMs, bytes.length)]).then(() => over.resolve(undefined));
      return { isDurable };
    } catch (thrown) {
      this.#onError(thrown);
      over.resolve(undefined);
      return { isDurable: Promise.resolve(false) };
    }
  }

  async #sync(): Promise<boolean> {
    try {
      await fdatasyncLater(this.#fd);
      return true;
    } catch (thrown) {
      this.#onError(thrown);
      return false;
    }
  }

  async #writeAll(header: Uint8Array, payload: Uint8Array, at: number): Promise<void> {
    const { bytesWritten } = await writevLater(this.#fd, [header, payload], at);
    if (bytesWritten !== header.length + payload.length)
      throw new Error(`only ${String(bytesWritten)} bytes were written`);
  }

  async #rest(tookMs: Milliseconds, bytes: number): Promise<void> {
    const factor = tookMs < UNNOTICED_MS ? 0 : REST_FACTOR;
    const ms = Math.min(Math.max(tookMs * factor, bytes / BYTES_PER_MS), LONGEST_REST_MS);
    if (ms < UNNOTICED_MS || this.#closing.signal.aborted) return;
    await this.#clock.sleep(ms, this.#closing.signal).catch(() => undefined);
  }

  #isOutrun(): boolean {
    const known = this.#newest?.sequence ?? 0;
    return ([0, 1] as const).some((index) => (readHeader(this.#fd, index)?.sequence ?? 0) > known);
  }
}

/** Opens the file, and gives it its whole size in real blocks, and a name that is durable, when it is new. */
function open(path: string): number {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  if (fstatSync(fd).size === 2 * SLOT_BYTES) return fd;
  const zeros = Buffer.alloc(64 * 1024);
  for (let at = fstatSync(fd).size; at < 2 * SLOT_BYTES;) {
    at += writeSync(fd, zeros, 0, Math.min(zeros.length, 2 * SLOT_BYTES - at), at);
  }
  fsyncSync(fd);
  const folder = openSync(dirname(path), constants.O_RDONLY);
  fsyncSync(folder);
  closeSync(folder);
  return fd;
}

function headerOf(sequence: number, length: number, checksum: Payload["checksum"]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(length, 4);
  header.writeDoubleLE(sequence, 8);
  header.writeUInt32LE(checksum(crc32(header.subarray(8, 16))), 16);
  return header;
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

/** Oldest first. */
function wholeSlots(fd: number): readonly (Slot & { readonly payload: Buffer })[] {
  const slots = ([0, 1] as const).flatMap((index) => readSlot(fd, index) ?? []);
  return slots.toSorted((a, b) => a.sequence - b.sequence);
}

function readSlot(fd: number, index: 0 | 1): (Slot & { readonly payload: Buffer }) | null {
  const header = readHeader(fd, index);
  if (header === null) return null;
  const payload = Buffer.alloc(header.length);
  const read = readSync(fd, payload, 0, header.length, index * SLOT_BYTES + HEADER_BYTES);
  if (read !== header.length || crc32(payload, crc32(header.sequenceBytes)) !== header.crc) return null;
  return { index, sequence: header.sequence, payload };
}
