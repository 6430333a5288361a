import { copyFields, namedByConnection, WRITE_ROOM } from "./copy-fields.ts";
import { FIELD, type FieldId, valueOf } from "./field.ts";
import { isTraceparent } from "./trace-context.ts";
import type { RequestContext, RequestHead } from "./types.ts";
import { forwardedLines } from "./write-forwarded.ts";

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
  FIELD.lookalike,
);
/** What only a proxy may say of who asked; a stranger's word would reach apps that believe it. */
const TOLD_BY_PROXIES = bits(FIELD.xForwardedOther, FIELD.xRealIp);
const WHO = bits(
  FIELD.forwarded,
  FIELD.xForwardedFor,
  FIELD.xForwardedProto,
  FIELD.xForwardedHost,
  FIELD.xForwardedPort,
);
const TRACE = bits(FIELD.traceparent, FIELD.tracestate);

/** Methods whose requests have a body unless they say otherwise: they must say so (RFC 9110, 8.6). */
function isUsuallyWithBody(method: string): boolean {
  return method === "POST" || method === "PUT" || method === "PATCH";
}

/**
 * Writes the head that the instance gets into `out` at `at`, and returns its end; -1 when `out` has less room than
 * `head.size + WRITE_ROOM`. The body goes on as it came: with its length, or chunked.
 */
export function writeRequestHead(head: RequestHead, context: RequestContext, out: Buffer, at: number): number {
  // The host is written again at most three times.
  if (out.length - at < head.size + WRITE_ROOM) return -1;
  const isPlain = head.isPlainLine;
  let to = at;
  if (!isPlain) to += out.write(`${head.method} ${head.target} HTTP/1.1\r\n`, to, "latin1");
  const isTraced = hasTrace(head);
  const keepsId = keepsRequestId(head, context);
  let mask = omittedFrom(head) | whoOmitted(context);
  if (!isTraced) mask |= TRACE;
  if (!keepsId) mask |= 1 << FIELD.xRequestId;
  const omitted = { mask, names: namedByConnection(head) };
  to = copyFields(head, isPlain ? head.line : (head.fields[0] as number), omitted, out, to);
  let text = ownFields(head, context);
  if (!keepsId) text += `X-Request-Id: ${context.requestId()}\r\n`;
  if (!isTraced && context.rules.newTraceparent !== null) text += `traceparent: ${context.rules.newTraceparent()}\r\n`;
  // A proxy in front may have told more than there is room to tell again in another form.
  return out.length - to < text.length + 2 ? -1 : to + out.write(`${text}\r\n`, to, "latin1");
}

/** A trusted proxy's word stays, where we say nothing ourselves. */
function whoOmitted({ peer, rules }: RequestContext): number {
  if (!peer.isTrusted) return WHO | TOLD_BY_PROXIES;
  return rules.fields === "none" ? 0 : WHO;
}

/** W3C Trace Context, 3.2 and 3.3: what cannot be read is not passed on, and no tracestate is without a traceparent. */
function hasTrace(head: RequestHead): boolean {
  const bit = 1 << FIELD.traceparent;
  if ((head.seen & bit) === 0 || (head.repeated & bit) !== 0) return false;
  return isTraceparent(valueOf(head, FIELD.traceparent) ?? "");
}

function keepsRequestId(head: RequestHead, { peer, rules }: RequestContext): boolean {
  return head.hasRequestId && (rules.requestId === "keep" || (rules.requestId === "keepTrusted" && peer.isTrusted));
}

function omittedFrom(head: RequestHead): number {
  let mask = ALWAYS;
  if (!head.isPlainHost) mask |= 1 << FIELD.host;
  if (!head.isPlainLength) mask |= 1 << FIELD.contentLength;
  if (head.framing !== "chunked") mask |= 1 << FIELD.trailer;
  // Nothing waits for a 100 where there is no body, and HTTP/1.0 does not know it.
  if (!head.hasBody || head.minor === 0) mask |= 1 << FIELD.expect;
  return mask;
}

function ownFields(head: RequestHead, context: RequestContext): string {
  const host = head.host === "" && (head.seen & (1 << FIELD.host)) === 0 ? context.fallbackHost : head.host;
  let text = head.isPlainHost ? "" : `Host: ${host}\r\n`;
  if (head.framing === "chunked") text += "Transfer-Encoding: chunked\r\n";
  else if (head.contentLength >= 0 ? !head.isPlainLength : isUsuallyWithBody(head.method))
    text += `Content-Length: ${String(Math.max(0, head.contentLength))}\r\n`;
  if (head.upgrade !== null) text += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  else if (!context.keepAlive) text += "Connection: close\r\n";
  return text + forwardedLines(head, context);
}
