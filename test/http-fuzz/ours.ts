import { ChunkedDecoder } from "../../src/proxy/http/raw/message/chunked.ts";
import { eachField } from "../../src/proxy/http/raw/message/field.ts";
import { LengthDecoder } from "../../src/proxy/http/raw/message/length.ts";
import { scanRequestHead } from "../../src/proxy/http/raw/message/scan-request.ts";
import { scanResponseHead } from "../../src/proxy/http/raw/message/scan-response.ts";
import {
  type BodyDecoder,
  type HeadResult,
  REQUEST_LIMITS,
  type RequestHead,
  RESPONSE_LIMITS,
  type ResponseHead,
} from "../../src/proxy/http/raw/message/types.ts";
import type { Frame, Framing, MessageKind } from "./frame.ts";

export type AnyHead = RequestHead | ResponseHead;

/** How the message layer frames bytes that arrive in these parts, as a connection would use it. */
class Reader {
  readonly frames: Frame[] = [];
  readonly heads: AnyHead[] = [];
  refusal: string | null = null;
  #kind: MessageKind;
  #isToHead: boolean;
  #pending = Buffer.alloc(0);
  #progress: AnyHead | undefined;
  #body: BodyDecoder | "until-close" | null = null;
  #isOver = false;

  constructor(kind: MessageKind, isToHead: boolean) {
    this.#kind = kind;
    this.#isToHead = isToHead;
  }

  take(part: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, part]);
    while (this.#pending.length > 0 && !this.#isOver && (this.#body === null ? this.#head() : this.#content()));
  }

  /** The connection ends: the end of a body without a length. */
  finish(): void {
    const frame = this.frames.at(-1);
    if (frame !== undefined && this.#body === "until-close") frame.isComplete = true;
  }

  #scan(): HeadResult<AnyHead> {
    const bytes = this.#pending;
    const progress = this.#progress;
    if (this.#kind === "request")
      return scanRequestHead(bytes, 0, bytes.length, REQUEST_LIMITS, progress as RequestHead | undefined);
    const context = { request: { method: this.#isToHead ? "HEAD" : "GET" }, limits: RESPONSE_LIMITS };
    return scanResponseHead(bytes, 0, bytes.length, context, progress as ResponseHead | undefined);
  }

  #head(): boolean {
    const result = this.#scan();
    if (result.kind === "reject") {
      this.refusal = result.reason;
      this.#isOver = true;
      return false;
    }
    if (result.kind === "incomplete") {
      this.#progress = result.progress;
      return false;
    }
    this.#progress = undefined;
    const fields: string[] = [];
    eachField(result, (name, value) => fields.push(`${name}: ${value}`));
    const { keepAlive, minor } = result;
    const isUpgrade = result.upgrade !== null;
    this.frames.push({
      start: startOf(result),
      minor,
      fields,
      keepAlive,
      isUpgrade,
      body: "",
      trailers: [],
      isComplete: false,
    });
    result.keep();
    this.heads.push(result);
    this.#pending = this.#pending.subarray(result.size);
    this.#body = bodyOf(result);
    if (this.#body === null) this.#end();
    return true;
  }

  #content(): boolean {
    const frame = this.frames.at(-1);
    const body = this.#body;
    if (frame === undefined || body === null) return false;
    const bytes = this.#pending;
    if (body === "until-close") {
      frame.body += bytes.toString("latin1");
      this.#pending = Buffer.alloc(0);
      return false;
    }
    const at = body.decode(bytes, 0, bytes.length, (start, end) => {
      frame.body += bytes.toString("latin1", start, end);
    });
    this.#pending = bytes.subarray(at);
    if (body.reject !== null) {
      this.refusal = body.reject.reason;
      this.#isOver = true;
    }
    if (body.isDone) {
      if (body instanceof ChunkedDecoder) frame.trailers = body.trailers.map(normalLine);
      this.#end();
    }
    return body.isDone;
  }

  #end(): void {
    const frame = this.frames.at(-1);
    if (frame === undefined) return;
    frame.isComplete = true;
    this.#body = null;
    if (!frame.keepAlive || frame.isUpgrade) this.#isOver = true;
  }
}

function bodyOf(head: AnyHead): BodyDecoder | "until-close" | null {
  const { framing } = head;
  if (framing === "none") return null;
  if (framing === "close") return "until-close";
  return framing === "length" ? new LengthDecoder(head.contentLength) : new ChunkedDecoder();
}

/** The target as it was sent, not as it is forwarded: that is what another parser reports. */
function startOf(head: AnyHead): string {
  if ("status" in head) return String(head.status);
  const { source, base, line, fields } = head;
  const text = source.toString("latin1", base + line, base + (fields[0] ?? 0));
  return text.slice(0, text.lastIndexOf(" "));
}

const normalLine = (line: string): string => {
  const colon = line.indexOf(":");
  return `${line.slice(0, colon)}: ${line.slice(colon + 1).replaceAll(/^[ \t]+|[ \t]+$/g, "")}`;
};

export function ourFraming(
  kind: MessageKind,
  parts: readonly Buffer[],
  isToHead = false,
): Framing & { readonly heads: readonly AnyHead[] } {
  const reader = new Reader(kind, isToHead);
  for (const part of parts) reader.take(part);
  if (kind === "response") reader.finish();
  return reader;
}
