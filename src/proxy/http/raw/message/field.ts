import { byteAt, isWord, trimEnd, trimStart } from "./bytes.ts";
import type { MessageHead } from "./types.ts";

/** Fields that the proxy reads, writes or takes out. Any other is {@link FIELD}.other and passes as it came. */
export const FIELD = {
  other: 0,
  connection: 1,
  keepAlive: 2,
  proxyConnection: 3,
  proxyAuthorization: 4,
  te: 5,
  transferEncoding: 6,
  upgrade: 7,
  contentLength: 8,
  host: 9,
  expect: 10,
  trailer: 11,
  forwarded: 12,
  xForwardedFor: 13,
  xForwardedProto: 14,
  xForwardedHost: 15,
  xRequestId: 16,
  contentType: 17,
  tealError: 18,
  date: 19,
  http2Settings: 20,
  xForwardedPort: 21,
  xRealIp: 22,
  traceparent: 23,
  tracestate: 24,
  /** X-Forwarded-… of any other name. */
  xForwardedOther: 25,
  /** Spelt with `_` for `-`: to CGI, WSGI and Rack the same as the field that says who asked. */
  lookalike: 26,
} as const;

export type FieldId = (typeof FIELD)[keyof typeof FIELD];

const NAMES: Readonly<Record<Exclude<keyof typeof FIELD, "other" | "xForwardedOther" | "lookalike">, string>> = {
  connection: "connection",
  keepAlive: "keep-alive",
  proxyConnection: "proxy-connection",
  proxyAuthorization: "proxy-authorization",
  te: "te",
  transferEncoding: "transfer-encoding",
  upgrade: "upgrade",
  contentLength: "content-length",
  host: "host",
  expect: "expect",
  trailer: "trailer",
  forwarded: "forwarded",
  xForwardedFor: "x-forwarded-for",
  xForwardedProto: "x-forwarded-proto",
  xForwardedHost: "x-forwarded-host",
  xRequestId: "x-request-id",
  contentType: "content-type",
  tealError: "teal-error",
  date: "date",
  http2Settings: "http2-settings",
  xForwardedPort: "x-forwarded-port",
  xRealIp: "x-real-ip",
  traceparent: "traceparent",
  tracestate: "tracestate",
};

/** Length and first letter tell most known names apart, so that hardly more than one is compared. */
function slot(length: number, first: number): number {
  return length * 32 + (first & 31);
}

const LONGEST = 19;
const CANDIDATE = new Uint8Array(32 * (LONGEST + 1));
/** By id: another name with the same length and first letter; 0: none. */
const NEXT = new Uint8Array(32);
const BYTES: Uint8Array[] = [new Uint8Array()];
for (const [key, name] of Object.entries(NAMES)) {
  const id = FIELD[key as keyof typeof NAMES];
  const bytes = Buffer.from(name, "latin1");
  const at = slot(bytes.length, byteAt(bytes, 0));
  NEXT[id] = CANDIDATE[at] as number;
  CANDIDATE[at] = id;
  BYTES[id] = bytes;
}

export function fieldId(buffer: Buffer, start: number, end: number): FieldId {
  const length = end - start;
  const first = byteAt(buffer, start);
  let id = (length > LONGEST ? FIELD.other : CANDIDATE[slot(length, first)]) as FieldId;
  while (id !== FIELD.other && !isWord(buffer, start, end, BYTES[id] as Uint8Array)) id = NEXT[id] as FieldId;
  return id === FIELD.other && (first | 0x20) === SMALL_X && length > 2 ? familyOf(buffer, start, end) : id;
}

const SMALL_X = 0x78;
const PREFIX = "x-forwarded-";

/** Of an unknown name that begins with X: whether it tells who asked, all the same. */
function familyOf(buffer: Buffer, start: number, end: number): FieldId {
  const third = byteAt(buffer, start + 2) | 0x20;
  // X-F…, X-R…: nothing else needs a string.
  if (third !== 0x66 && third !== 0x72) return FIELD.other;
  const name = buffer.toString("latin1", start, end).toLowerCase();
  const dashed = name.replaceAll("_", "-");
  if (dashed !== name && (dashed.startsWith(PREFIX) || dashed === "x-real-ip" || dashed === "x-request-id"))
    return FIELD.lookalike;
  return name.startsWith(PREFIX) ? FIELD.xForwardedOther : FIELD.other;
}

/** Numbers per field in a head's table. */
export const STRIDE = 3;

/** The name of the field at `index` of the table (a multiple of {@link STRIDE}), in the case it came in. */
export function nameAt(head: MessageHead, index: number): string {
  const { source, base, fields } = head;
  return source.toString("latin1", base + (fields[index] as number), base + (fields[index + 1] as number));
}

/** The value of the field at `index`, without white space around it. */
function valueAt(head: MessageHead, index: number): string {
  const { source, base, fields } = head;
  const lineEnd = base + (fields[index + STRIDE] as number) - 2;
  const start = trimStart(source, base + (fields[index + 1] as number) + 1, lineEnd);
  return source.toString("latin1", start, trimEnd(source, start, lineEnd));
}

/** The values of the fields of this id in their order, joined with ", " as RFC 9110, 5.3 has it; null without any. */
export function valueOf(head: MessageHead, id: FieldId): string | null {
  const { fields } = head;
  let value: string | null = null;
  for (let at = 0; at + STRIDE < fields.length; at += STRIDE) {
    if (fields[at + 2] !== id) continue;
    const next = valueAt(head, at);
    value = value === null ? next : `${value}, ${next}`;
  }
  return value;
}

/** The same for a field by its lower-case name: for what routing looks at (cookies, a header to split by). */
export function fieldValue(head: MessageHead, name: string): string | null {
  const { source, base, fields } = head;
  const word = Buffer.from(name, "latin1");
  const separator = name === "cookie" ? "; " : ", ";
  let value: string | null = null;
  for (let at = 0; at + STRIDE < fields.length; at += STRIDE) {
    if (!isWord(source, base + (fields[at] as number), base + (fields[at + 1] as number), word)) continue;
    const next = valueAt(head, at);
    value = value === null ? next : `${value}${separator}${next}`;
  }
  return value;
}

/** All fields in their order. */
export function eachField(head: MessageHead, visit: (name: string, value: string) => void): void {
  for (let at = 0; at + STRIDE < head.fields.length; at += STRIDE) visit(nameAt(head, at), valueAt(head, at));
}
