import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameWalk } from "./frame-walk.ts";

/** One frame with the length field that its payload needs. */
function frameOf(opcode: number, length: number, isMasked: boolean): Buffer {
  const short = length < 126 ? length : length < 65_536 ? 126 : 127;
  const head = [0x80 | opcode, short | (isMasked ? 0x80 : 0)];
  const extended = Buffer.alloc(short === 126 ? 2 : short === 127 ? 8 : 0);
  if (short === 126) extended.writeUInt16BE(length);
  if (short === 127) extended.writeBigUInt64BE(BigInt(length));
  // Payload that looks like heads, so that a walk that loses its place goes wrong.
  return Buffer.concat([Buffer.from(head), extended, Buffer.alloc((isMasked ? 4 : 0) + length, 0x88)]);
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    length: fc.oneof(fc.integer({ min: 0, max: 130 }), fc.constantFrom(65_535, 65_536, 70_000)),
    isMasked: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

describe("a walk over frames", () => {
  it("is at a border between two frames and nowhere else, however the bytes are split", () => {
    fc.assert(
      fc.property(
        frames,
        fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 8 }),
        (list, cuts) => {
          const parts = list.map(({ opcode, length, isMasked }) => frameOf(opcode, length, isMasked));
          const borders = new Set<number>();
          let end = 0;
          for (const part of parts) borders.add((end += part.length));
          const bytes = Buffer.concat(parts);
          const walk = new FrameWalk();
          for (let at = 0, i = 0; at < bytes.length; i += 1) {
            const to = Math.min(bytes.length, at + (cuts[i % cuts.length] ?? 1));
            expect(walk.take(bytes, at, to)).toBe(to);
            expect(walk.isAtBorder).toBe(borders.has(to));
            at = to;
          }
          expect(walk.isClosing).toBe(false);
        },
      ),
    );
  });

  it("stops behind each frame when it is asked to", () => {
    const parts = [frameOf(1, 0, false), frameOf(2, 300, true), frameOf(9, 5, false)];
    const bytes = Buffer.concat(parts);
    const walk = new FrameWalk();
    const stops: number[] = [];
    for (let at = 0; at < bytes.length;) stops.push((at = walk.take(bytes, at, bytes.length, true)));
    expect(stops).toEqual([2, 310, 317]);
  });

  it("sees a Close frame as soon as its head is there", () => {
    const walk = new FrameWalk();
    const bytes = frameOf(8, 2, true);
    walk.take(bytes, 0, 5);
    expect(walk.isClosing).toBe(false);
    walk.take(bytes, 5, 6);
    expect([walk.isClosing, walk.isAtBorder]).toEqual([true, false]);
  });
});
