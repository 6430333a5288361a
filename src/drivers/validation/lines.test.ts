import * as fc from "fast-check";
import { expect, it } from "vitest";
import { LineCutter } from "./lines.ts";

function cut(chunks: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const cutter = new LineCutter((line) => lines.push(line));
  for (const chunk of chunks) cutter.push(chunk);
  cutter.end();
  return lines;
}

it("gives the same lines however the bytes are divided", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "ü", "🙂", "\n", "\r\n"), maxLength: 60 });
  fc.assert(
    fc.property(text, fc.array(fc.nat(10)), (text, sizes) => {
      const bytes = Buffer.from(text);
      const chunks: Buffer[] = [];
      let at = 0;
      for (const size of sizes) chunks.push(bytes.subarray(at, (at += size)));
      chunks.push(bytes.subarray(at));
      const whole = text.split("\n").map((line) => line.replace(/\r$/, ""));
      expect(cut(chunks)).toEqual(whole.at(-1) === "" ? whole.slice(0, -1) : whole);
    }),
  );
});

it("breaks a line that never ends, and loses nothing of it", () => {
  const chunks = Array.from({ length: 100 }, () => Buffer.from("x".repeat(1_000)));
  const lines = cut(chunks);
  expect(Math.max(...lines.map((line) => line.length))).toBe(4_096);
  expect(lines.join("")).toBe("x".repeat(100_000));
  expect(cut([Buffer.from(`${"y".repeat(10_000)}\n\n`)]).map((line) => line.length)).toEqual([4_096, 4_096, 1_808, 0]);
});
