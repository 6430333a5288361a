import { answerFraming } from "../../src/proxy/http/raw/message/answer-framing.ts";
import { WRITE_ROOM } from "../../src/proxy/http/raw/message/copy-fields.ts";
import { peerOf } from "../../src/proxy/http/raw/message/peer.ts";
import type {
  ForwardingRules,
  FramingKind,
  RequestHead,
  ResponseHead,
} from "../../src/proxy/http/raw/message/types.ts";
import { writeRequestHead } from "../../src/proxy/http/raw/message/write-request.ts";
import { writeResponseHead } from "../../src/proxy/http/raw/message/write-response.ts";
import { type Frame, type MessageKind } from "./frame.ts";
import { llhttpFraming } from "./llhttp.ts";
import { type AnyHead, ourFraming } from "./ours.ts";

const framed = (framing: FramingKind, body: string): string => {
  if (framing !== "chunked") return framing === "none" ? "" : body;
  return `${body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`;
};

/** Both forms at once, so that both are judged. */
const RULES: ForwardingRules = {
  fields: "both",
  requestId: "keep",
  newTraceparent: () => `00-${"1".repeat(32)}-${"2".repeat(16)}-01`,
  isTrusted: (address) => address.startsWith("10."),
};

/** The head that goes on, as latin1. */
export function forwardedRequest(
  head: RequestHead,
  isTrusted: boolean,
  keepAlive = true,
  some: Partial<ForwardingRules> = {},
): string {
  const out = Buffer.alloc(head.size + WRITE_ROOM);
  const peer = peerOf("10.9.8.7", "http", isTrusted, 8080);
  const rules = { ...RULES, ...some };
  const context = { peer, rules, fallbackHost: "fallback:80", requestId: () => "made-1", keepAlive };
  return out.toString("latin1", 0, writeRequestHead(head, context, out, 0));
}

export function forwardedResponse(head: ResponseHead, minor: 0 | 1, keepAlive = true): string {
  const out = Buffer.alloc(head.size + WRITE_ROOM);
  const framing = answerFraming(head, { minor });
  const context = { framing, keepAlive, keepAliveTimeout: 65, date: "Sat, 21 Nov 2026 03:00:00 GMT" };
  return out.toString("latin1", 0, writeResponseHead(head, context, out, 0));
}

const HOP_BY_HOP = /^(?:keep-alive|proxy-connection|proxy-authorization|te|http2-settings):/i;

function wrongField(fields: readonly string[], head: AnyHead): string | undefined {
  const named = new Set(head.connectionTokens ?? []);
  for (const kept of [
    "host",
    "content-length",
    "date",
    "x-request-id",
    "transfer-encoding",
    "connection",
    "upgrade",
    "x-forwarded-for",
  ])
    named.delete(kept);
  return fields.find((field) => {
    const isOurs = "status" in head && field === "Keep-Alive: timeout=65";
    const name = field.slice(0, field.indexOf(":")).toLowerCase();
    if (name === "connection") return !/^Connection: (?:close|keep-alive|Upgrade)$/.test(field);
    if (name === "upgrade") return head.upgrade === null;
    return (HOP_BY_HOP.test(field) && !isOurs) || named.has(name);
  });
}

/** What is wrong with a message as it goes on: to llhttp it must be one message with the same body. Null: nothing. */
function wrongWith(kind: MessageKind, text: string, body: string, head: AnyHead, isToHead: boolean): string | null {
  const bytes = Buffer.from(text, "latin1");
  const { frames, refusal } = llhttpFraming(kind, [bytes], isToHead);
  const [only] = frames;
  if (refusal !== null || only === undefined || frames.length !== 1)
    return `refused or not one: ${String(refusal)}\n${text}`;
  if (!only.isComplete || only.body !== body) return `another body\n${text}`;
  const field = wrongField(only.fields, head);
  if (field !== undefined) return `passed on ${field}\n${text}`;
  const again = ourFraming(kind, [bytes], isToHead);
  return again.refusal === null && again.frames.length === 1
    ? null
    : `refused by ourselves: ${String(again.refusal)}\n${text}`;
}

/** The same for all whole messages in these bytes. */
export function wrongForward(kind: MessageKind, bytes: Buffer, flag: boolean): string | null {
  const { frames, heads } = ourFraming(kind, [bytes], false);
  const wrong = frames.map((frame: Frame, at) => {
    const head = heads[at];
    if (!frame.isComplete || head === undefined) return null;
    if ("status" in head) {
      const framing = answerFraming(head, { minor: flag ? 1 : 0 });
      const text = forwardedResponse(head, flag ? 1 : 0) + framed(framing, frame.body);
      return wrongWith(kind, text, frame.body, head, false);
    }
    const text = forwardedRequest(head, flag) + framed(head.framing, frame.body);
    const hosts = text.slice(0, text.indexOf("\r\n\r\n")).match(/^Host:/gim)?.length;
    if (hosts !== 1 || !text.startsWith(`${head.method} ${head.target} HTTP/1.1\r\n`)) return `start or Host\n${text}`;
    return wrongWith(kind, text, frame.body, head, false);
  });
  return wrong.find((each) => each !== null) ?? null;
}
