import { expect, test } from "vitest";
import { clientAddress } from "./client-address.ts";
import { peerOf } from "./peer.ts";
import { scanRequestHead } from "./scan-request.ts";
import { type ForwardingRules, REQUEST_LIMITS } from "./types.ts";

function clientOf(
  fields: readonly string[],
  address = "10.0.0.1",
  written: ForwardingRules["fields"] = "x-forwarded",
): string {
  const bytes = Buffer.from(["GET / HTTP/1.1", "Host: a", ...fields, "", ""].join("\r\n"));
  const head = scanRequestHead(bytes, 0, bytes.length, REQUEST_LIMITS);
  if (head.kind !== "head") throw new Error(JSON.stringify(head));
  const isTrusted = (one: string): boolean => one.startsWith("10.") || one === "2001:db8::1";
  const rules = { fields: written, requestId: "keep", newTraceparent: null, isTrusted } as const;
  return clientAddress(head, peerOf(address, "http", isTrusted(address), 80), rules);
}

test("a stranger is who it is, whatever it says", () => {
  expect(clientOf(["X-Forwarded-For: 1.1.1.1"], "203.0.113.9")).toBe("203.0.113.9");
  expect(clientOf(["Forwarded: for=1.1.1.1"], "203.0.113.9")).toBe("203.0.113.9");
});

test.each([
  ["the right-most that is not trusted", "6.6.6.6, 203.0.113.9, 10.0.0.3, 10.0.0.2", "203.0.113.9"],
  ["of both families", "6.6.6.6, 2001:db8::9, 2001:db8::1", "2001:db8::9"],
  ["with ports and brackets", "203.0.113.9:4711, [2001:db8::1]:80", "203.0.113.9"],
  ["an IPv4 address in IPv6 clothes", "::ffff:203.0.113.9", "203.0.113.9"],
  ["the left-most when all are trusted", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
  ["the proxy that tells nonsense", "203.0.113.9, nonsense, 10.0.0.2", "10.0.0.2"],
  ["the proxy when it tells nothing", "", "10.0.0.1"],
])("behind trusted proxies: %s", (_, told, expected) => {
  expect(clientOf([`X-Forwarded-For: ${told}`])).toBe(expected);
});

test("several fields are one list", () => {
  expect(clientOf(["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 10.0.0.2"])).toBe(
    "203.0.113.9",
  );
});

test("Forwarded is read where it is the form that is written, or the only one", () => {
  const both = ['Forwarded: for="[2001:db8::9]:1", for=10.0.0.2', "X-Forwarded-For: 203.0.113.9"];
  expect(clientOf(both)).toBe("203.0.113.9");
  expect(clientOf(both, "10.0.0.1", "rfc7239")).toBe("2001:db8::9");
  expect(clientOf(both.slice(0, 1))).toBe("2001:db8::9");
  expect(clientOf(["Forwarded: for=203.0.113.9, for=unknown"])).toBe("10.0.0.1");
  expect(clientOf(["Forwarded: for=203.0.113.9, for="])).toBe("10.0.0.1");
});
