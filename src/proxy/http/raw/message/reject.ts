import type { Reject, RejectStatus } from "./types.ts";

function make(status: RejectStatus, reason: string): Reject {
  return { kind: "reject", status, reason };
}

/** One object per reason: a refusal costs nothing to make, and tests can name it. */
export const REJECT = {
  emptyLine: make(400, "a bare CR or LF before the first line"),
  tls: make(400, "a TLS handshake on a port without TLS"),
  http2: make(505, "the preface of HTTP/2"),
  method: make(400, "the method is not a token"),
  unknownMethod: make(501, "the method is not known"),
  connect: make(501, "CONNECT is not served"),
  target: make(400, "the request target is not valid"),
  longTarget: make(414, "the request target is too long"),
  version: make(400, "the version is not written as HTTP/1.1 is"),
  unknownVersion: make(505, "the version is neither HTTP/1.0 nor HTTP/1.1"),
  statusLine: make(400, "the status line is not valid"),
  fieldName: make(400, "a field's name is empty or not a token, or white space stands before its colon"),
  fold: make(400, "a field's value is folded onto a second line"),
  value: make(400, "a field's value has a control byte"),
  lineEnd: make(400, "a bare CR or LF"),
  headTooLarge: make(431, "the head is too large"),
  tooManyFields: make(431, "the head has too many fields"),
  length: make(400, "Content-Length is not a number"),
  repeatedLength: make(400, "Content-Length is repeated"),
  encoding: make(400, "Transfer-Encoding is not just chunked"),
  lengthAndEncoding: make(400, "both Content-Length and Transfer-Encoding"),
  oldEncoding: make(400, "Transfer-Encoding in HTTP/1.0"),
  noHost: make(400, "no Host"),
  repeatedHost: make(400, "Host is repeated"),
  host: make(400, "Host is not valid"),
  upgradeWithBody: make(400, "an Upgrade with a body"),
  chunkSize: make(400, "a chunk's size is not valid"),
  chunkExtension: make(400, "a chunk's extension is not valid or too long"),
  chunkEnd: make(400, "a chunk does not end where its size says"),
  trailer: make(400, "a trailer field is not valid"),
  trailerName: make(400, "a field that must not be a trailer"),
  trailerTooLarge: make(431, "the trailer section is too large"),
} as const satisfies Record<string, Reject>;
