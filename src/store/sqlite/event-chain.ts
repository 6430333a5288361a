import { hash } from "node:crypto";

/** Number of the encoding below. Another one would get another number, and a column that says which rows have it. */
const ENCODING = 1;
const ABSENT = 0xffff_ffff;

/** One row of `events` as it stands in the table: `data` is its JSON text, byte for byte. */
export interface ChainedRow {
  readonly seq: number;
  readonly at: number;
  readonly service: string | null;
  readonly deployment: string | null;
  readonly type: string;
  readonly step: string | null;
  readonly data: string;
}

/** One row of `event_gaps`: events up to `last` were removed with age; `before` is the hash ahead of them, `after` the last of theirs. */
export interface Gap {
  readonly last: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/**
 * The hash of an event's row: SHA-256 (FIPS 180-4, 32 bytes) over, one after the other and without padding,
 *
 * - the hash of the row before, 32 bytes; ahead of the first row {@link genesis};
 * - the number of this encoding, 1 byte: 1;
 * - `seq`, 8 bytes, a signed integer, big-endian; `at`, 8 bytes, IEEE 754 binary64, big-endian;
 * - `service`, `deployment`, `type`, `step`, `data`, each as its length in bytes (4 bytes, big-endian), then so many bytes of
 *   UTF-8; null is the length 0xffffffff and nothing after it.
 *
 * Every part has a length that is known before it begins, so no two rows have the same bytes.
 */
export function linkOf(before: Uint8Array, row: ChainedRow): Buffer {
  const texts = [row.service, row.deployment, row.type, row.step, row.data];
  let size = before.length + 17;
  for (const text of texts) size += 4 + (text === null ? 0 : Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafe(size);
  bytes.set(before);
  let at = bytes.writeUInt8(ENCODING, before.length);
  at = bytes.writeBigInt64BE(BigInt(row.seq), at);
  at = bytes.writeDoubleBE(row.at, at);
  for (const text of texts) {
    const from = at + 4;
    at = text === null ? from : from + bytes.write(text, from);
    bytes.writeUInt32BE(text === null ? ABSENT : at - from, from - 4);
  }
  return hash("sha256", bytes, "buffer");
}

/**
 * What stands ahead of the first row: SHA-256 of the text `teal journal 1:` and, in decimal, the highest number that had been
 * given when the chain began; 0 in a store that has always had one.
 */
export function genesis(beganAfter: number): Buffer {
  return hash("sha256", `teal journal 1:${String(beganAfter)}`, "buffer");
}

/** SHA-256 in hexadecimal over the gaps by their number: `last` (8 bytes, signed, big-endian), `before`, `after`. */
export function digestOfGaps(gaps: readonly Gap[]): string {
  const parts = gaps.flatMap(({ last, before, after }) => {
    const number = Buffer.alloc(8);
    number.writeBigInt64BE(BigInt(last));
    return [number, before, after];
  });
  return hash("sha256", Buffer.concat(parts), "hex");
}
