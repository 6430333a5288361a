import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { borders, mutatedOf, split, validResponse } from "../../test/http-fuzz/generate.ts";
import { scanResponseHead } from "../proxy/http/raw/message/scan-response.ts";
import { RESPONSE_LIMITS } from "../proxy/http/raw/message/types.ts";
import { AnswerHead } from "./answer-head.ts";

const runs = { numRuns: 2_000, seed: 2_026 };

type Outcome = ReturnType<AnswerHead["take"]>;

/** What becomes of bytes that come in these parts. */
function taken(...parts: readonly string[]): Outcome {
  const head = new AnswerHead();
  for (const part of parts) {
    const outcome = head.take(part);
    if (outcome !== "incomplete") return outcome;
  }
  return "incomplete";
}

const singly = (text: string): readonly string[] => Array.from(text, (byte) => byte);

/** What the proxy finds in an answer to GET. */
function scanned(text: string): Outcome {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; ;) {
    const head = scanResponseHead(bytes, at, bytes.length, { request: { method: "GET" }, limits: RESPONSE_LIMITS });
    if (head.kind === "incomplete") return "incomplete";
    if (head.kind === "reject") return "malformed";
    if (head.status >= 200 || head.status === 101) return head.status;
    at += head.size;
  }
}

const statusIn = (outcome: Outcome): number | null => (typeof outcome === "number" ? outcome : null);

describe("the status of an answer", () => {
  test.each<[string, string, Outcome]>([
    ["a plain answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200],
    ["HTTP/1.0", "HTTP/1.0 503 Service Unavailable\r\n\r\n", 503],
    ["no reason phrase", "HTTP/1.1 204\r\n\r\n", 204],
    ["a redirect, which is not followed", "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", 302],
    ["a chunked body, which is not read", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", 200],
    ["a body up to the end", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", 200],
    [
      "interim answers before it",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
      200,
    ],
    ["an interim answer alone", "HTTP/1.1 100 Continue\r\n\r\n", "incomplete"],
    ["another protocol from now on", "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05hello", 101],
    ["a head that has not ended", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "incomplete"],
    ["half a first line", "HTTP/1.1 200", "incomplete"],
    ["nothing", "", "incomplete"],
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n", "malformed"],
    ["another version", "HTTP/2.0 200 OK\r\n\r\n", "malformed"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "malformed"],
    ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n", "malformed"],
    ["an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", "malformed"],
    ["bare line feeds", "HTTP/1.1 200 OK\n\n", "malformed"],
    ["a field without a colon", "HTTP/1.1 200 OK\r\nServer\r\n\r\n", "malformed"],
    ["a space before the colon", "HTTP/1.1 200 OK\r\nServer : x\r\n\r\n", "malformed"],
    ["a folded field", "HTTP/1.1 200 OK\r\nServer: x\r\n y\r\n\r\n", "malformed"],
    ["a control byte", "HTTP/1.1 200 OK\r\nServer: \0\r\n\r\n", "malformed"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "malformed"],
    ["a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok", "malformed"],
    ["a length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "malformed"],
    ["chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "malformed"],
  ])("%s", (_, text, outcome) => {
    expect([taken(text), taken(...singly(text))]).toEqual([outcome, outcome]);
    expect(scanned(text)).toBe(outcome);
  });

  test("is found after 64 KiB of head, and not after more, whatever it consists of", () => {
    const fill = (bytes: number): string => `HTTP/1.1 200 OK\r\nA: ${"x".repeat(bytes - 24)}\r\n\r\n`;
    expect(fill(65_536)).toHaveLength(65_536);
    expect([taken(fill(65_536)), taken(`${fill(65_536)}body`), taken(fill(65_537))]).toEqual([200, 200, "too-large"]);
    expect(taken("x".repeat(65_537))).toBe("too-large");
    const endless = Array.from({ length: 4_000 }, () => "HTTP/1.1 100 Continue\r\n\r\n");
    expect(taken(...endless)).toBe("too-large");
  });

  test("is found behind as many fields as the proxy takes, and not behind more", () => {
    const fields = (count: number): string => `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(count)}\r\n`;
    const most = RESPONSE_LIMITS.fields;
    expect([taken(fields(most)), taken(fields(most + 1))]).toEqual([200, "too-large"]);
    expect([scanned(fields(most)), scanned(fields(most + 1))]).toEqual([200, "malformed"]);
  });

  test("is what the proxy finds, in whatever parts the bytes come", () => {
    fc.assert(
      fc.property(fc.oneof(validResponse, mutatedOf(validResponse)), borders, (text, where) => {
        const parts = split(Buffer.from(text, "latin1"), where).map((part) => part.toString("latin1"));
        // What is wrong, a line may have to end to be known here.
        expect(statusIn(taken(text))).toBe(statusIn(scanned(text)));
        expect(taken(...parts)).toBe(taken(text));
      }),
      runs,
    );
  });
});
