import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "node:zlib";
import { CHUNK_BYTES, ChunkedCrc } from "./chunked-crc.ts";

const change = fc.record({ at: fc.nat(4 * CHUNK_BYTES), length: fc.nat(2 * CHUNK_BYTES), byte: fc.nat(255) });
const runs = { numRuns: 200, seed: 2_026 };

test("is zlib's, whatever changes and however long it is each time", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ change, length: fc.nat(4 * CHUNK_BYTES), seed: fc.nat(2 ** 32 - 1) }), { maxLength: 8 }),
      (steps) => {
        const memory = Buffer.alloc(4 * CHUNK_BYTES, "some text");
        const crc = new ChunkedCrc();
        for (const { change, length, seed } of steps) {
          const end = Math.min(change.at + change.length, memory.length);
          memory.fill(change.byte, change.at, end);
          crc.changed(change.at, end);
          const bytes = memory.subarray(0, length);
          expect(crc.of(bytes, seed)).toBe(crc32(bytes, seed));
        }
      },
    ),
    runs,
  );
});

test("a change that nobody told of is not seen: only what has changed is read", () => {
  const memory = Buffer.alloc(2 * CHUNK_BYTES);
  const crc = new ChunkedCrc();
  const before = crc.of(memory, 0);
  memory[5] = 1;
  expect(crc.of(memory, 0)).toBe(before);
  crc.changed(5, 6);
  expect(crc.of(memory, 0)).toBe(crc32(memory));
});
