import { describe, expect, it } from "vitest";
import { isThere, pointed } from "./pointer.ts";

describe("a JSON Pointer", () => {
  // RFC 6901, section 5.
  const document = {
    foo: ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
  };
  it.each([
    ["", document],
    ["/foo", ["bar", "baz"]],
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/e^f", 3],
    ["/g|h", 4],
    ["/i\\j", 5],
    ['/k"l', 6],
    ["/ ", 7],
    ["/m~0n", 8],
  ])("points as the RFC's examples say: %j", (pointer, value) => {
    expect(pointed(pointer, document)).toEqual(value);
  });

  it.each(["/bar", "/foo/2", "/foo/-", "/foo/00", "/foo/0/x", "/foo/length", "/toString", "/foo/01", "/~01"])(
    "finds nothing at %j",
    (pointer) => {
      expect(isThere(pointed(pointer, document))).toBe(false);
    },
  );

  it("decodes ~01 to ~1, not to a slash", () => {
    expect(pointed("/~01", { "~1": 5 })).toBe(5);
  });
});
