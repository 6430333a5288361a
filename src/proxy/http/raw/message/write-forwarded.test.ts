import { describe, expect, test } from "vitest";
import { forwardedRequest } from "../../../../../test/http-fuzz/forward.ts";
import { WRITE_ROOM } from "./copy-fields.ts";
import { peerOf } from "./peer.ts";
import { scanRequestHead } from "./scan-request.ts";
import { type ForwardingRules, REQUEST_LIMITS, type RequestHead } from "./types.ts";
import { writeRequestHead } from "./write-request.ts";

function request(...fields: string[]): RequestHead {
  const bytes = Buffer.from(["GET / HTTP/1.1", ...fields, "", ""].join("\r\n"), "latin1");
  const head = scanRequestHead(bytes, 0, bytes.length, REQUEST_LIMITS);
  if (head.kind !== "head") throw new Error(JSON.stringify(head));
  return head;
}

/** What an instance gets of these fields, but for the first line, Host and what a test does not look at. */
function told(isTrusted: boolean, fields: readonly string[], some: Partial<ForwardingRules> = {}): string[] {
  return forwardedRequest(request("Host: shop:81", ...fields), isTrusted, true, { newTraceparent: null, ...some })
    .split("\r\n")
    .slice(2, -2)
    .filter((line) => line !== "X-Request-Id: made-1");
}

const SPOOFED = [
  "X-Forwarded-For: 1.1.1.1",
  "x-forwarded-proto: https",
  "X-Forwarded-Host: evil",
  "X-Forwarded-Port: 443",
  "X-Forwarded-Prefix: /admin",
  "X-Forwarded-Tls-Client-Cert: abc",
  "X-Real-IP: 1.1.1.1",
  "X_Forwarded_For: 1.1.1.1",
  "X-Forwarded_For: 1.1.1.1",
  "X_Real_IP: 1.1.1.1",
  "Forwarded: for=1.1.1.1",
];
const OURS = ["X-Forwarded-For: 10.9.8.7", "X-Forwarded-Proto: http", "X-Forwarded-Port: 8080"];

describe("from a stranger, what it says of who asked is replaced", () => {
  test.each([
    ["x-forwarded", [...OURS, "X-Forwarded-Host: shop:81"]],
    ["rfc7239", ['Forwarded: for=10.9.8.7;proto=http;host="shop:81"']],
    ["both", [...OURS, "X-Forwarded-Host: shop:81", 'Forwarded: for=10.9.8.7;proto=http;host="shop:81"']],
    ["none", []],
  ] as const)("%s", (fields, expected) => {
    expect(told(false, SPOOFED, { fields })).toEqual(expected);
  });

  test("names that only look alike pass", () => {
    const others = [
      "X-Forwarded: 1",
      "X-Forward-For: 1",
      "X-Realm: 2",
      "X: 3",
      "X-F: 4",
      "X_F: 5",
      "Xyz-Forwarded-For: 6",
    ];
    expect(told(false, others, { fields: "none" })).toEqual(others);
  });
});

describe("from a trusted proxy, it is continued", () => {
  test("each form by its own", () => {
    const fields = [
      "X-Forwarded-For: 1.1.1.1",
      "X-Forwarded-For: 2.2.2.2",
      "Forwarded: for=1.1.1.1",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: outer",
      "X-Forwarded-Prefix: /shop",
      "X-Real-IP: 1.1.1.1",
    ];
    const plain = [
      "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.9.8.7",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Port: 443",
      "X-Forwarded-Host: outer",
    ];
    const kept = ["X-Forwarded-Prefix: /shop", "X-Real-IP: 1.1.1.1"];
    const hop = 'Forwarded: for=1.1.1.1, for=10.9.8.7;proto=http;host="shop:81"';
    expect(told(true, fields, { fields: "both" })).toEqual([...kept, ...plain, hop]);
    expect(told(true, fields, { fields: "x-forwarded" })).toEqual([...kept, ...plain]);
    expect(told(true, fields, { fields: "rfc7239" })).toEqual([...kept, hop]);
    expect(told(true, fields, { fields: "none" })).toEqual(fields);
  });

  test("one form is told in the other where that alone is asked for (RFC 7239, 7.4)", () => {
    const elements = [
      'Forwarded: for="[2001:db8::1]:4711";proto=https;host="shop.example";by=_x, for=_hidden, For=10.0.0.1',
    ];
    expect(told(true, elements, { fields: "x-forwarded" })).toEqual([
      "X-Forwarded-For: 2001:db8::1, unknown, 10.0.0.1, 10.9.8.7",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Port: 443",
      "X-Forwarded-Host: shop.example",
    ]);
    const plain = [
      "X-Forwarded-For: 2001:db8::1, nonsense, 10.0.0.1:99",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: shop.example:8443",
    ];
    expect(told(true, plain, { fields: "rfc7239" })).toEqual([
      'Forwarded: for="[2001:db8::1]";proto=https;host="shop.example:8443", for=unknown, for=10.0.0.1, for=10.9.8.7;proto=http;host="shop:81"',
    ]);
  });

  test.each([
    [["X-Forwarded-Port: 8443"], "8443"],
    [["X-Forwarded-Port: 99999", "X-Forwarded-Proto: https"], "443"],
    [["X-Forwarded-Port: 1", "X-Forwarded-Port: 2", "X-Forwarded-Proto: http"], "80"],
    [["X-Forwarded-Host: outer:444", "X-Forwarded-Proto: https"], "444"],
    [["X-Forwarded-For: 1.1.1.1"], "8080"],
    [[], "8080"],
  ])("the port of %j is %s", (fields, port) => {
    expect(told(true, fields, { fields: "x-forwarded" })).toContain(`X-Forwarded-Port: ${port}`);
  });

  test.each(["for=1.1.1.1;for=2.2.2.2", "for=1.1.1.1 2", 'for="1.1.1.1', "for=[::1]", "for"])(
    "a Forwarded that is not well-formed is told by nobody: %s",
    (value) => {
      expect(told(true, [`Forwarded: ${value}`], { fields: "rfc7239" })).toEqual([
        'Forwarded: for=10.9.8.7;proto=http;host="shop:81"',
      ]);
    },
  );

  test("a scheme that is none, or is told twice, is not believed", () => {
    const schemes = (...fields: string[]) => told(true, fields, { fields: "x-forwarded" })[1];
    expect(schemes("X-Forwarded-Proto: ht tp")).toBe("X-Forwarded-Proto: http");
    expect(schemes("X-Forwarded-Proto: https", "X-Forwarded-Proto: https")).toBe("X-Forwarded-Proto: http");
  });
});

test("an IPv6 peer stands in brackets and quotes in Forwarded alone; a name that is no address is unknown", () => {
  const peer = peerOf("2001:db8::7", "http", false, 80);
  expect(peer.plainLines).toContain("X-Forwarded-For: 2001:db8::7\r\n");
  expect(peer.forwardedFor).toBe('for="[2001:db8::7]"');
  expect(peerOf("unknown", "http", false, 80).forwardedFor).toBe("for=unknown");
});

describe("X-Request-Id", () => {
  const id = (isTrusted: boolean, requestId: ForwardingRules["requestId"]): string | undefined =>
    /^X-Request-Id: (.*)\r$/m.exec(
      forwardedRequest(request("Host: a", "X-Request-Id: theirs"), isTrusted, true, { requestId }),
    )?.[1];

  test("is kept from anybody, from a trusted proxy, or from nobody", () => {
    expect([id(false, "keep"), id(true, "keep")]).toEqual(["theirs", "theirs"]);
    expect([id(false, "keepTrusted"), id(true, "keepTrusted")]).toEqual(["made-1", "theirs"]);
    expect([id(false, "replace"), id(true, "replace")]).toEqual(["made-1", "made-1"]);
  });

  test("what CGI takes for it does not pass", () => {
    expect(told(false, ["X_Request_Id: x"], { fields: "none" })).toEqual([]);
  });
});

describe("traceparent", () => {
  const VALID = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const traced = (fields: readonly string[], made: string | null = null): string[] =>
    told(false, fields, { fields: "none", newTraceparent: made === null ? null : () => made });

  test("a valid one passes with its tracestate, whoever sends it", () => {
    const both = [`Traceparent: ${VALID}`, "Tracestate: a=1", "tracestate: b=2"];
    expect(traced(both)).toEqual(both);
    expect(traced(both, "made")).toEqual(both);
  });

  test.each([
    ["of another form", ["traceparent: 00-a-b-01"]],
    ["repeated", [`traceparent: ${VALID}`, `traceparent: ${VALID}`]],
    ["absent", []],
  ])("one that is %s goes with its tracestate, and a new one comes where it is asked for", (_, fields) => {
    expect(traced([...fields, "tracestate: a=1"])).toEqual([]);
    expect(traced([...fields, "tracestate: a=1"], "made")).toEqual(["traceparent: made"]);
  });
});

test("what would not fit is not written", () => {
  const head = request("Host: a", `X-Forwarded-For: ${"::,".repeat(3_000)}::`);
  const rules = { fields: "both", requestId: "keep", newTraceparent: null, isTrusted: () => true } as const;
  const context = {
    peer: peerOf("::1", "http", true, 80),
    rules,
    fallbackHost: "x",
    requestId: () => "id",
    keepAlive: true,
  };
  expect(writeRequestHead(head, context, Buffer.alloc(head.size + WRITE_ROOM), 0)).toBe(-1);
  expect(writeRequestHead(head, context, Buffer.alloc(head.size * 8), 0)).toBeGreaterThan(head.size);
});
