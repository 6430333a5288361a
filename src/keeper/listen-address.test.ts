import { expect, test } from "vitest";
import { parseListen, printAddress } from "./listen-address.ts";

test.each([
  ["127.0.0.1:8080", "127.0.0.1:8080"],
  ["localhost:0", "127.0.0.1:0"],
  ["[::1]:8080", "[::1]:8080"],
  ["[::]:443", "[::]:443"],
  [":8080", "0.0.0.0:8080"],
  ["8080", "0.0.0.0:8080"],
  ["*:80", "0.0.0.0:80"],
])("%s is %s", (listen, printed) => {
  expect(printAddress(parseListen(listen))).toBe(printed);
});

test.each(["", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "example.com:80", "::1:80", "[zz]:80", "127.0.0.1:80 "])(
  "%j is refused by name",
  (listen) => {
    expect(() => parseListen(listen)).toThrow(expect.objectContaining({ code: "config-invalid" }));
    expect(() => parseListen(listen)).toThrow(`proxy.listen: ${listen} is not an address`);
  },
);
