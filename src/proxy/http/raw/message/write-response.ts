import { copyFields, namedByConnection, WRITE_ROOM } from "./copy-fields.ts";
import { FIELD } from "./field.ts";
import type { ResponseContext, ResponseHead } from "./types.ts";

/** Fields for one connection only, and what only Teal says: a client must be able to tell its answers from the service's. */
const ALWAYS =
  (1 << FIELD.connection) |
  (1 << FIELD.keepAlive) |
  (1 << FIELD.proxyConnection) |
  (1 << FIELD.proxyAuthorization) |
  (1 << FIELD.te) |
  (1 << FIELD.transferEncoding) |
  (1 << FIELD.upgrade) |
  (1 << FIELD.http2Settings) |
  (1 << FIELD.tealError);

/**
 * Writes the head that the client gets into `out` at `at`, and returns its end; -1 when `out` has less room than
 * `head.size + WRITE_ROOM`. Interim answers (1xx) say nothing about the connection, as the final one will.
 */
export function writeResponseHead(head: ResponseHead, context: ResponseContext, out: Buffer, at: number): number {
  if (out.length - at < head.size + WRITE_ROOM) return -1;
  let to = at;
  let from = head.line;
  if (!head.isPlainLine) {
    // `HTTP/1.0 200 OK` or `HTTP/1.1 200`: the version is ours, and the space before the reason must be there.
    const { source, base } = head;
    const reasonAt = base + from + 13;
    const lineEnd = base + (head.fields[0] as number) - 2;
    const reason = reasonAt < lineEnd ? source.toString("latin1", reasonAt, lineEnd) : "";
    to += out.write(`HTTP/1.1 ${String(head.status)} ${reason}\r\n`, to, "latin1");
    from = head.fields[0] as number;
  }
  const keepsLength = head.contentLength >= 0 && mayHaveLength(head, context);
  let mask = ALWAYS;
  if (!keepsLength || !head.isPlainLength) mask |= 1 << FIELD.contentLength;
  if (context.framing !== "chunked") mask |= 1 << FIELD.trailer;
  to = copyFields(head, from, { mask, names: namedByConnection(head) }, out, to);
  let text = keepsLength && !head.isPlainLength ? `Content-Length: ${String(head.contentLength)}\r\n` : "";
  if (context.framing === "chunked") text += "Transfer-Encoding: chunked\r\n";
  return to + out.write(`${text}${connectionFields(head, context)}\r\n`, to, "latin1");
}

/** RFC 9110, 8.6: never in 1xx and 204; elsewhere without a body it says what a GET would have got. */
function mayHaveLength(head: ResponseHead, { framing }: ResponseContext): boolean {
  return (framing === "length" || framing === "none") && head.status >= 200 && head.status !== 204;
}

function connectionFields(head: ResponseHead, context: ResponseContext): string {
  if (head.upgrade !== null) return `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  if (head.status < 200) return "";
  const date = head.hasDate ? "" : `Date: ${context.date}\r\n`;
  if (!context.keepAlive || context.framing === "close") return `${date}Connection: close\r\n`;
  const timeout = context.keepAliveTimeout;
  return `${date}Connection: keep-alive\r\n${timeout > 0 ? `Keep-Alive: timeout=${String(timeout)}\r\n` : ""}`;
}
