import { copyFields, namedByConnection, WRITE_ROOM } from "./copy-fields.ts";
import { FIELD, type FieldId, valueOf } from "./field.ts";
import type { RequestContext, RequestHead } from "./types.ts";

function bits(...ids: FieldId[]): number {
  return ids.reduce<number>((mask, id) => mask | (1 << id), 0);
}

/** Fields for one connection only (RFC 9110, 7.6.1), and those that are written anew. */
const ALWAYS = bits(
  FIELD.connection,
  FIELD.keepAlive,
  FIELD.proxyConnection,
  FIELD.proxyAuthorization,
  FIELD.te,
  FIELD.transferEncoding,
  FIELD.upgrade,
  FIELD.http2Settings,
  FIELD.forwarded,
  FIELD.xForwardedFor,
  FIELD.xForwardedProto,
  FIELD.xForwardedHost,
);
const FORWARDED_SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;

/** Methods whose requests have a body unless they say otherwise: they must say so (RFC 9110, 8.6). */
function isUsuallyWithBody(method: string): boolean {
  return method === "POST" || method === "PUT" || method === "PATCH";
}

/**
 * Writes the head that the instance gets into `out` at `at`, and returns its end; -1 when `out` has less room than
 * `head.size + WRITE_ROOM`. The body goes on as it came: with its length, or chunked.
 */
export function writeRequestHead(head: RequestHead, context: RequestContext, out: Buffer, at: number): number {
  // Old values are written again at most once; the host at most three times.
  if (out.length - at < head.size + WRITE_ROOM) return -1;
  const isPlain = head.isPlainLine;
  let to = at;
  if (!isPlain) to += out.write(`${head.method} ${head.target} HTTP/1.1\r\n`, to, "latin1");
  const omitted = { mask: omittedFrom(head), names: namedByConnection(head) };
  to = copyFields(head, isPlain ? head.line : (head.fields[0] as number), omitted, out, to);
  return to + out.write(ownFields(head, context), to, "latin1");
}

function omittedFrom(head: RequestHead): number {
  let mask = ALWAYS;
  if (!head.isPlainHost) mask |= 1 << FIELD.host;
  if (!head.isPlainLength) mask |= 1 << FIELD.contentLength;
  if (!head.hasRequestId) mask |= 1 << FIELD.xRequestId;
  if (head.framing !== "chunked") mask |= 1 << FIELD.trailer;
  // Nothing waits for a 100 where there is no body, and HTTP/1.0 does not know it.
  if (!head.hasBody || head.minor === 0) mask |= 1 << FIELD.expect;
  return mask;
}

function ownFields(head: RequestHead, context: RequestContext): string {
  const { peer } = context;
  const host = head.host === "" && (head.seen & (1 << FIELD.host)) === 0 ? context.fallbackHost : head.host;
  let text = head.isPlainHost ? "" : `Host: ${host}\r\n`;
  if (head.framing === "chunked") text += "Transfer-Encoding: chunked\r\n";
  else if (head.contentLength >= 0 ? !head.isPlainLength : isUsuallyWithBody(head.method))
    text += `Content-Length: ${String(Math.max(0, head.contentLength))}\r\n`;
  if (head.upgrade !== null) text += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  else if (!context.keepAlive) text += "Connection: close\r\n";
  text += peer.isTrusted ? continued(head, context) : begun(head, context);
  if (!head.hasRequestId) text += `X-Request-Id: ${context.requestId()}\r\n`;
  return `${text}\r\n`;
}

/** Who asked, when nobody before us is to be believed. */
function begun(head: RequestHead, { peer }: RequestContext): string {
  const { address, scheme, forwardedFor } = peer;
  const start = `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${scheme}\r\nForwarded: ${forwardedFor};proto=${scheme}`;
  return head.host === "" ? `${start}\r\n` : `${start};host="${head.host}"\r\nX-Forwarded-Host: ${head.host}\r\n`;
}

const SAYS_WHO = bits(FIELD.forwarded, FIELD.xForwardedFor, FIELD.xForwardedProto, FIELD.xForwardedHost);

/** Who asked, when the peer is a proxy of the operator's: what it says, and the peer itself. */
function continued(head: RequestHead, context: RequestContext): string {
  if ((head.seen & SAYS_WHO) === 0) return begun(head, context);
  const { address, scheme, forwardedFor } = context.peer;
  const before = valueOf(head, FIELD.xForwardedFor);
  const proto = onlyValue(head, FIELD.xForwardedProto);
  const outerScheme = proto !== null && FORWARDED_SCHEME.test(proto) ? proto : scheme;
  const host = onlyValue(head, FIELD.xForwardedHost) ?? head.host;
  const element = `${forwardedFor};proto=${scheme}${head.host === "" ? "" : `;host="${head.host}"`}`;
  const elements = valueOf(head, FIELD.forwarded);
  return [
    `X-Forwarded-For: ${before === null || before === "" ? address : `${before}, ${address}`}\r\n`,
    `X-Forwarded-Proto: ${outerScheme}\r\n`,
    host === "" ? "" : `X-Forwarded-Host: ${host}\r\n`,
    `Forwarded: ${elements === null || elements === "" ? element : `${elements}, ${element}`}\r\n`,
  ].join("");
}

/** Null when it is repeated: which one is meant is anybody's guess. */
function onlyValue(head: RequestHead, id: FieldId): string | null {
  const value = (head.repeated & (1 << id)) === 0 ? valueOf(head, id) : null;
  return value === "" ? null : value;
}
