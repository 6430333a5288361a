import { createHash } from "node:crypto";
import type { Evidence, JournalRow } from "../evidence.ts";

/**
 * The journal is whole: events 1 to the newest, each with the hash of the one before and of itself, and the newest is the head.
 * Nothing in a campaign is old enough to be removed. The encoding is the one that docs/security.md describes.
 */
export function chain({ journal: { rows, gaps, head } }: Evidence): readonly string[] {
  let before = sha256(Buffer.from("teal journal 1:0"));
  for (const [index, row] of rows.entries()) {
    if (row.seq !== index + 1) return [`event ${String(row.seq)} stands where ${String(index + 1)} should`];
    before = sha256(Buffer.concat([before, Buffer.of(1), integer(row.seq), double(row.at), ...texts(row)]));
    if (before.toString("hex") !== row.hash) return [`event ${String(row.seq)} does not follow from the one before`];
  }
  return [
    ...(head?.seq === rows.length && head.hash === before.toString("hex") ? [] : ["the head is not the newest event"]),
    ...(gaps === 0 ? [] : [`${String(gaps)} gaps, and nothing was old enough to be removed`]),
  ];
}

function texts({ service, deployment, type, step, data }: JournalRow): Buffer[] {
  return [service, deployment, type, step, data].flatMap((text) => {
    const bytes = Buffer.from(text ?? "");
    const length = Buffer.alloc(4, 0xff);
    if (text !== null) length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
