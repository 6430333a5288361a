import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { forwardedRequest, forwardedResponse, wrongForward } from "../../../../../test/http-fuzz/forward.ts";
import { mutatedOf, validRequest, validResponse } from "../../../../../test/http-fuzz/generate.ts";
import { scanRequestHead } from "./scan-request.ts";
import { scanResponseHead } from "./scan-response.ts";
import { REQUEST_LIMITS, type RequestHead, RESPONSE_LIMITS, type ResponseHead } from "./types.ts";
import { writeRequestHead } from "./write-request.ts";
import { peerOf } from "./peer.ts";

const runs = { numRuns: 2_000, interruptAfterTimeLimit: 1_500, markInterruptAsFailure: false };

function request(...lines: string[]): RequestHead {
  const bytes = Buffer.from([...lines, "", ""].join("\r\n"), "latin1");
  const head = scanRequestHead(bytes, 0, bytes.length, REQUEST_LIMITS);
  if (head.kind !== "head") throw new Error(JSON.stringify(head));
  return head;
}

function response(...lines: string[]): ResponseHead {
  const bytes = Buffer.from([...lines, "", ""].join("\r\n"), "latin1");
  const head = scanResponseHead(bytes, 0, bytes.length, { request: { method: "GET" }, limits: RESPONSE_LIMITS });
  if (head.kind !== "head") throw new Error(JSON.stringify(head));
  return head;
}

const lines = (text: string): string[] => text.split("\r\n").slice(0, -2);

describe("what goes on is one message to llhttp, with the same body and no field of one connection", () => {
  test.each([
    ["request", validRequest],
    ["response", validResponse],
  ] as const)("a %s", (kind, valid) => {
    fc.assert(
      fc.property(fc.oneof(valid, mutatedOf(valid)), fc.boolean(), (text, flag) => {
        expect(wrongForward(kind, Buffer.from(text, "latin1"), flag)).toBeNull();
      }),
      runs,
    );
  });
});

describe("a request", () => {
  test.each(["a b", "", "x".repeat(129), "\xe9"])("an id that is not well-formed is replaced: %j", (id) => {
    const text = forwardedRequest(request("GET / HTTP/1.1", "Host: a", `X-Request-Id: ${id}`), true);
    expect(text.match(/^X-Request-Id:.*$/gm)).toEqual(["X-Request-Id: made-1"]);
  });

  test("the target's host wins, and is written as Host", () => {
    const head = request("GET http://b:81?q HTTP/1.1", "Host: a", "X: y");
    expect([head.host, head.target]).toEqual(["b:81", "/?q"]);
    expect(lines(forwardedRequest(head, true)).slice(0, 3)).toEqual(["GET /?q HTTP/1.1", "X: y", "Host: b:81"]);
    expect(request("OPTIONS http://b HTTP/1.1", "Host: a").target).toBe("*");
  });

  test("HTTP/1.0 without Host gets one; POST without a length says 0; the connection's end is told", () => {
    const text = forwardedRequest(request("POST / HTTP/1.0", "Expect: 100-continue"), false, false);
    expect(lines(text).slice(0, 4)).toEqual([
      "POST / HTTP/1.1",
      "Host: fallback:80",
      "Content-Length: 0",
      "Connection: close",
    ]);
    expect(text).not.toContain("Expect");
  });

  test("an upgrade keeps its protocol", () => {
    const head = request("GET / HTTP/1.1", "Host: a", "Connection: keep-alive, Upgrade", "Upgrade: websocket");
    expect(head.upgrade).toBe("websocket");
    expect(lines(forwardedRequest(head, false))).toEqual(
      expect.arrayContaining(["Connection: Upgrade", "Upgrade: websocket"]),
    );
  });

  test("a buffer without room is left alone; a kept head outlives its buffer", () => {
    const bytes = Buffer.from("GET /a HTTP/1.1\r\nHost: shop\r\n\r\n");
    const head = scanRequestHead(bytes, 0, bytes.length, REQUEST_LIMITS);
    if (head.kind !== "head") throw new Error("not a head");
    const rules = { fields: "both", requestId: "keep", newTraceparent: null, isTrusted: () => true } as const;
    const peer = peerOf("::1", "http", true, 80);
    const context = { peer, rules, fallbackHost: "x", requestId: () => "id", keepAlive: true };
    expect(writeRequestHead(head, context, Buffer.alloc(head.size + 100), 0)).toBe(-1);
    const before = forwardedRequest(head, true);
    head.keep();
    bytes.fill(0);
    expect(forwardedRequest(head, true)).toBe(before);
  });
});

describe("an answer", () => {
  test("loses what is for one connection, and what only Teal says", () => {
    const head = response(
      "HTTP/1.1 200 OK",
      "Connection: keep-alive, X-Hop",
      "Keep-Alive: timeout=5, max=3",
      "X-Hop: 1",
      "Teal-Error: no-route",
      "Set-Cookie: a=b",
      "Set-Cookie: c=d",
      "Content-Length: 3",
    );
    expect([head.keepAlive, head.keepAliveTimeout, head.framing, head.contentLength]).toEqual([true, 5, "length", 3]);
    expect(lines(forwardedResponse(head, 1))).toEqual([
      "HTTP/1.1 200 OK",
      "Set-Cookie: a=b",
      "Set-Cookie: c=d",
      "Content-Length: 3",
      "Date: Sat, 21 Nov 2026 03:00:00 GMT",
      "Connection: keep-alive",
      "Keep-Alive: timeout=65",
    ]);
  });

  test("is framed for its client", () => {
    const chunked = response("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: X", "Date: now");
    expect(lines(forwardedResponse(chunked, 0))).toEqual(["HTTP/1.1 200 OK", "Date: now", "Connection: close"]);
    expect(lines(forwardedResponse(chunked, 1))).toContain("Trailer: X");
    const untilClose = response("HTTP/1.0 200", "Date: now");
    expect([untilClose.framing, untilClose.keepAlive]).toEqual(["close", false]);
    expect(lines(forwardedResponse(untilClose, 1)).slice(0, 3)).toEqual([
      "HTTP/1.1 200 ",
      "Date: now",
      "Transfer-Encoding: chunked",
    ]);
  });

  test("of 101, 103, 204 and 304", () => {
    const switching = response("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket");
    expect(lines(forwardedResponse(switching, 1)).slice(1)).toEqual(["Connection: Upgrade", "Upgrade: websocket"]);
    expect(lines(forwardedResponse(response("HTTP/1.1 103 Early Hints", "Link: x"), 1))).toEqual([
      "HTTP/1.1 103 Early Hints",
      "Link: x",
    ]);
    const none = response("HTTP/1.1 204 No Content", "Content-Length: 5", "Date: now");
    expect([none.framing, none.keepAlive]).toEqual(["none", false]);
    expect(forwardedResponse(none, 1)).not.toContain("Content-Length");
    const same = response("HTTP/1.1 304 Not Modified", "Content-Length: 5");
    expect([same.framing, same.keepAlive]).toEqual(["none", true]);
    expect(forwardedResponse(same, 1)).toContain("Content-Length: 5");
  });

  test.each([
    ["Transfer-Encoding: gzip", "Transfer-Encoding is not just chunked"],
    ["Content-Length: 5, 5", "Content-Length is not a number"],
    ["X: a\r\n b", "a field's value is folded onto a second line"],
    ["X: a\0", "a field's value has a control byte"],
  ])("is refused with %j", (field, reason) => {
    expect(() => response("HTTP/1.1 200 OK", field)).toThrow(reason);
  });

  test.each([
    "HTTP/2.0 200 OK",
    "HTTP/1.1  200 OK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 099 x",
    "ICY 200 OK",
    "",
  ])("is refused for its first line: %j", (line) => {
    expect(() => response(line, "X: y")).toThrow("the status line is not valid");
  });

  test("tells event streams", () => {
    expect(response("HTTP/1.1 200 OK", "Content-Type: Text/Event-Stream; charset=utf-8").isEventStream).toBe(true);
    expect(response("HTTP/1.1 200 OK", "Content-Type: text/event-streams").isEventStream).toBe(false);
  });
});
