import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter, LONGEST_LINE } from "./line-splitter.ts";

test("lines come whole, however the stream is cut", () => {
  const line = fc.string({ unit: "grapheme", maxLength: 30 }).map((text) => text.replaceAll(/[\r\n]/g, ""));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(40)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      const splitter = new LineSplitter();
      const got: string[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        got.push(...splitter.push(bytes.subarray(at, at + cut)));
        at += cut;
      }
      expect(got).toEqual(lines);
      expect(splitter.flush()).toEqual([]);
    }),
  );
});

test("a line that never ends is cut, and takes no more memory than that", () => {
  const splitter = new LineSplitter();
  const got = splitter.push(Buffer.alloc(2 * LONGEST_LINE + 5, "x"));
  expect(got.map((text) => text.length)).toEqual([LONGEST_LINE, LONGEST_LINE]);
  expect(splitter.push(Buffer.from("\n"))).toEqual(["xxxxx"]);
});

test("a line of exactly the longest length is one line", () => {
  const splitter = new LineSplitter();
  expect(
    splitter.push(Buffer.concat([Buffer.alloc(LONGEST_LINE, "x"), Buffer.from("\ny\n")])).map((text) => text.length),
  ).toEqual([LONGEST_LINE, 1]);
});

test("what has no line end is kept until it is asked for; a carriage return goes", () => {
  const splitter = new LineSplitter();
  expect(splitter.push(Buffer.from("one\r\ntw"))).toEqual(["one"]);
  expect(splitter.push(Buffer.from("o"))).toEqual([]);
  expect(splitter.flush()).toEqual(["two"]);
});
