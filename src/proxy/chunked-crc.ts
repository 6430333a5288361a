import { crc32 } from "node:zlib";

export const CHUNK_BYTES = 65_536;

/**
 * What a whole chunk after it makes of a CRC-32, which is linear: zlib's `crc32_combine` with its second length fixed, as
 * a table for each byte of the CRC.
 */
const SHIFT: readonly Uint32Array[] = shiftTables();

function shiftTables(): readonly Uint32Array[] {
  const zeros = Buffer.alloc(CHUNK_BYTES);
  const ofNothing = crc32(zeros);
  return [0, 8, 16, 24].map((from) => {
    const bits = Array.from({ length: 8 }, (_, bit) => crc32(zeros, 2 ** (from + bit)) ^ ofNothing);
    return Uint32Array.from({ length: 256 }, (_, byte) =>
      bits.reduce((sum, of, bit) => ((byte >> bit) & 1 ? sum ^ of : sum), 0),
    );
  });
}

function shifted(crc: number): number {
  return SHIFT.reduce((sum, table, at) => sum ^ (table[(crc >>> (8 * at)) & 0xff] ?? 0), 0);
}

/** The CRC-32 of bytes of which little has changed since it was last asked for: only chunks with a change are read. */
export class ChunkedCrc {
  /** Of each whole chunk; null: it has changed. */
  #chunks: (number | null)[] = [];

  /** The bytes in [from, to) are other ones now. */
  changed(from: number, to: number): void {
    const end = Math.min(Math.ceil(to / CHUNK_BYTES), this.#chunks.length);
    for (let chunk = Math.floor(from / CHUNK_BYTES); chunk < end; chunk += 1) this.#chunks[chunk] = null;
  }

  /** As `crc32(bytes, seed)`. */
  of(bytes: Uint8Array, seed: number): number {
    const whole = Math.floor(bytes.length / CHUNK_BYTES);
    let crc = seed;
    for (let at = 0; at < whole; at += 1) {
      const known = this.#chunks[at] ?? crc32(bytes.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES));
      this.#chunks[at] = known;
      crc = (shifted(crc) ^ known) >>> 0;
    }
    return crc32(bytes.subarray(whole * CHUNK_BYTES), crc);
  }
}
