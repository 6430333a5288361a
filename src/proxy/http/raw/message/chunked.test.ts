import { describe, expect, test } from "vitest";
import { ChunkedDecoder } from "./chunked.ts";
import { LengthDecoder } from "./length.ts";

describe("a chunked body", () => {
  test("ends right after its blank line, and tells its data and trailers", () => {
    const body = "3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\nX-More:2\r\n\r\n";
    const bytes = Buffer.from(`--${body}GET /`);
    const decoder = new ChunkedDecoder();
    const data: string[] = [];
    const end = decoder.decode(bytes, 2, bytes.length, (start, to) => data.push(bytes.toString("latin1", start, to)));
    expect([end, decoder.isDone, decoder.reject]).toEqual([2 + body.length, true, null]);
    expect(data).toEqual(["abc", "0123456789"]);
    expect(decoder.trailers).toEqual(["X-Sum: 1", "X-More:2"]);
    expect(decoder.decode(bytes, end, bytes.length)).toBe(end);
  });

  test("stops at the offending byte: what was before it may have gone on", () => {
    const bytes = Buffer.from("3\r\nabcX\r\n");
    const decoder = new ChunkedDecoder();
    expect(decoder.decode(bytes, 0, bytes.length)).toBe(6);
    expect(decoder.reject).toMatchObject({ status: 400, reason: "a chunk does not end where its size says" });
    expect(decoder.decode(bytes, 6, bytes.length)).toBe(6);
  });

  test("large chunks cost no look at their bytes", () => {
    const decoder = new ChunkedDecoder();
    const size = Buffer.from("fffffffff\r\n");
    decoder.decode(size, 0, size.length);
    const part = Buffer.alloc(1 << 20);
    const began = performance.now();
    for (let count = 0; count < 60_000; count += 1) decoder.decode(part, 0, part.length);
    expect(decoder.isDone).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

test("a body of a known length ends where it says", () => {
  const decoder = new LengthDecoder(5);
  const bytes = Buffer.alloc(4);
  expect([decoder.decode(bytes, 0, 4), decoder.left, decoder.isDone]).toEqual([4, 1, false]);
  const ranges: number[][] = [];
  expect(decoder.decode(bytes, 2, 4, (...range) => ranges.push(range))).toBe(3);
  expect([ranges, decoder.isDone]).toEqual([[[2, 3]], true]);
});
