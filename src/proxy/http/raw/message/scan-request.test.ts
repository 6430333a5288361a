import { describe, expect, test } from "vitest";
import { eachField, fieldValue } from "./field.ts";
import { scanRequestHead } from "./scan-request.ts";
import { type HeadResult, REQUEST_LIMITS, type RequestHead } from "./types.ts";

function scan(text: string, limits = REQUEST_LIMITS): HeadResult<RequestHead> {
  const bytes = Buffer.from(text, "latin1");
  return scanRequestHead(bytes, 0, bytes.length, limits);
}

function head(text: string): RequestHead {
  const result = scan(text);
  if (result.kind !== "head") throw new Error(JSON.stringify(result));
  return result;
}

const status = (text: string, limits = REQUEST_LIMITS): number | string => {
  const result = scan(text, limits);
  return result.kind === "reject" ? result.status : result.kind;
};

describe("the head of a request", () => {
  test("its facts", () => {
    const text =
      "POST /a?b HTTP/1.1\r\nHost: shop:8080\r\nX-Mine:  y \r\nContent-Length: 12\r\nExpect: 100-Continue\r\nTE: trailers\r\n\r\n";
    const facts = head(`${text}rest`);
    expect(facts).toMatchObject({
      method: "POST",
      target: "/a?b",
      host: "shop:8080",
      minor: 1,
      framing: "length",
      contentLength: 12,
      hasBody: true,
      keepAlive: true,
      expectContinue: true,
      takesTrailers: true,
      connectionTokens: null,
      upgrade: null,
      size: text.length,
    });
    const fields: string[] = [];
    eachField(facts, (name, value) => fields.push(`${name}=${value}`));
    expect(fields).toEqual(["Host=shop:8080", "X-Mine=y", "Content-Length=12", "Expect=100-Continue", "TE=trailers"]);
  });

  test("a field by its name: repeated ones are joined, cookies as RFC 9113, 8.2.3 has it", () => {
    const facts = head("GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nX-A: 1\r\ncookie: c=d\r\nx-a: 2\r\n\r\n");
    expect(fieldValue(facts, "cookie")).toBe("a=b; c=d");
    expect(fieldValue(facts, "x-a")).toBe("1, 2");
    expect(fieldValue(facts, "x-b")).toBeNull();
  });

  test.each([
    ["1.1", "", true],
    ["1.1", "Connection: close\r\n", false],
    ["1.1", "Connection: keep-alive, Close\r\n", false],
    ["1.1", "Connection: keep-alive\r\nConnection: close\r\n", false],
    ["1.1", "Proxy-Connection: close\r\n", true],
    ["1.0", "", false],
    ["1.0", "Connection: Keep-Alive\r\n", true],
    ["1.0", "Connection: keep-alive, close\r\n", false],
  ])("HTTP/%s with %j: kept alive: %j", (version, fields, expected) => {
    expect(head(`GET / HTTP/${version}\r\nHost: a\r\n${fields}\r\n`).keepAlive).toBe(expected);
  });

  test.each([
    ["GET", "1.1", "websocket", "websocket"],
    ["GET", "1.1", "h2c", null],
    ["GET", "1.1", "H2C", null],
    ["GET", "1.1", "websocket, h2c", null],
    ["GET", "1.0", "websocket", null],
    ["POST", "1.1", "websocket", null],
  ])("%s with HTTP/%s and an upgrade to %s: %j", (method, version, protocol, expected) => {
    const text = `${method} / HTTP/${version}\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
    expect(head(text).upgrade).toBe(expected);
  });

  test("Connection's other tokens, of all its fields", () => {
    const text = "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-A, close\r\nConnection: ,x-b\t,\r\n\r\n";
    expect(head(text).connectionTokens).toEqual(["x-a", "x-b"]);
  });

  test("limits are met exactly", () => {
    const text = "GET /abcd HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    const limits = { headBytes: text.length, fields: 2, targetBytes: 5 };
    expect(status(text, limits)).toBe("head");
    expect(status(text, { ...limits, headBytes: text.length - 1 })).toBe(431);
    expect(status(text, { ...limits, fields: 1 })).toBe(431);
    expect(status(text, { ...limits, targetBytes: 4 })).toBe(414);
    expect(status(text.slice(0, -1), limits)).toBe("incomplete");
    expect(status(text.slice(0, -1), { ...limits, headBytes: text.length - 1 })).toBe(431);
  });

  test("a field that arrives byte by byte is looked at once, also when the bytes move", () => {
    const text = `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${"c".repeat(30_000)}\r\n\r\n`;
    const bytes = Buffer.from(text);
    let progress: RequestHead | undefined;
    let result: HeadResult<RequestHead> | undefined;
    const began = performance.now();
    for (let end = 1; end <= bytes.length; end += 1) {
      // The same bytes at another place, as when a buffer grows.
      const moved = end === 20_000 ? Buffer.concat([Buffer.from("xx"), bytes]) : bytes;
      const start = moved === bytes ? 0 : 2;
      result = scanRequestHead(moved, start, start + end, REQUEST_LIMITS, progress);
      if (result.kind === "incomplete") progress = result.progress;
    }
    expect(result?.kind).toBe("head");
    // Quadratic, it would be half a thousand million steps.
    expect(performance.now() - began).toBeLessThan(400);
  });
});
