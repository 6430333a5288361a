import { byteAt, COLON, CR, IS_TOKEN, IS_VALUE, isWord, LF, NINE, SP, TAB, trimEnd, trimStart, ZERO } from "./bytes.ts";
import { FIELD, type FieldId, fieldId, STRIDE } from "./field.ts";
import { REJECT } from "./reject.ts";
import type { FramingKind, HeadLimits, Incomplete, MessageHead, Reject } from "./types.ts";

/** True: complete. False: more bytes are needed. */
export type Step = boolean | Reject;

const CHUNKED = Buffer.from("chunked");
const KEEP_ALIVE = Buffer.from("keep-alive");
const CLOSE = Buffer.from("close");
/** More digits are more than any body has, and than a number holds exactly. */
const MOST_DIGITS = 15;
const NONE: readonly string[] = [];

/**
 * A head while it is scanned, and afterwards. Each byte is looked at once however the bytes arrive: `at`, `lineStart`
 * and `isInValue` say where the scan stands, counted from `base`.
 */
export abstract class HeadScan implements MessageHead {
  readonly kind = "head";
  source: Buffer;
  base: number;
  size = 0;
  line = 0;
  minor: 0 | 1 = 1;
  fields: number[] = [];
  seen = 0;
  repeated = 0;
  abstract framing: FramingKind;
  isPlainLength = false;
  contentLength = -1;
  keepAlive = true;
  connectionTokens: readonly string[] | null = null;
  upgrade: string | null = null;
  protected at = 0;
  protected lineStart = 0;
  protected isInValue = false;
  protected isFirstLineDone = false;
  protected saysClose = false;
  protected saysKeepAlive = false;

  constructor(source: Buffer, base: number) {
    this.source = source;
    this.base = base;
  }

  keep(): void {
    const own = Buffer.allocUnsafeSlow(this.size);
    this.source.copy(own, 0, this.base, this.base + this.size);
    this.source = own;
    this.base = 0;
  }

  /** Goes on with the same bytes and perhaps more of them, perhaps elsewhere. */
  scan(buffer: Buffer, start: number, end: number, limits: HeadLimits): this | Incomplete<this> | Reject {
    this.source = buffer;
    this.base = start;
    const to = Math.min(end, start + limits.headBytes);
    let step: Step = this.isFirstLineDone;
    if (!step) {
      step = this.firstLine(buffer, start, to, limits);
      if (step === true) this.isFirstLineDone = true;
    }
    if (step === true) step = this.scanFields(buffer, start, to, limits);
    if (step === true) return this.finish() ?? this;
    if (step !== false) return step;
    return to < end || to === start + limits.headBytes ? REJECT.headTooLarge : { kind: "incomplete", progress: this };
  }

  /** Leaves `at` and `lineStart` at the first field. */
  protected abstract firstLine(buffer: Buffer, base: number, end: number, limits: HeadLimits): Step;
  /** A known field that is not common to requests and answers; its value is [start, end) with white space around it. */
  protected abstract ownField(id: FieldId, start: number, end: number): Reject | null;
  /** Draws the conclusions from all fields. */
  protected abstract finish(): Reject | null;

  private scanFields(buffer: Buffer, base: number, end: number, limits: HeadLimits): Step {
    const { fields } = this;
    let at = base + this.at;
    for (;;) {
      if (!this.isInValue) {
        const lineStart = base + this.lineStart;
        while (at < end && IS_TOKEN[byteAt(buffer, at)] === 1) at += 1;
        this.at = at - base;
        if (at >= end) return false;
        if (byteAt(buffer, at) !== COLON || at === lineStart) return this.notAName(buffer, at, lineStart, end);
        if (fields.length >= limits.fields * STRIDE) return REJECT.tooManyFields;
        fields.push(this.lineStart, this.at, fieldId(buffer, lineStart, at));
        this.isInValue = true;
        at += 1;
      }
      while (at < end && IS_VALUE[byteAt(buffer, at)] === 1) at += 1;
      this.at = at - base;
      if (at >= end) return false;
      const isOver = lineEnd(buffer, at, end);
      if (isOver !== true) return isOver;
      const wrong = this.takeField(at);
      if (wrong !== null) return wrong;
      at += 2;
      this.at = this.lineStart = at - base;
      this.isInValue = false;
    }
  }

  /** The blank line, or something that is not a name. */
  private notAName(buffer: Buffer, at: number, lineStart: number, end: number): Step {
    const byte = byteAt(buffer, at);
    if (at > lineStart) return REJECT.fieldName;
    if (byte === SP || byte === TAB) return this.fields.length === 0 ? REJECT.fieldName : REJECT.fold;
    if (byte === LF) return REJECT.lineEnd;
    if (byte !== CR) return REJECT.fieldName;
    if (at + 1 >= end) return false;
    if (byteAt(buffer, at + 1) !== LF) return REJECT.lineEnd;
    this.fields.push(at - this.base);
    this.size = at + 2 - this.base;
    return true;
  }

  private takeField(lineEnd: number): Reject | null {
    const { fields, base, source } = this;
    const id = fields[fields.length - 1] as FieldId;
    if (id === FIELD.other) return null;
    const bit = 1 << id;
    if ((this.seen & bit) !== 0) this.repeated |= bit;
    this.seen |= bit;
    const afterColon = base + (fields[fields.length - 2] as number) + 1;
    const start = trimStart(source, afterColon, lineEnd);
    const end = trimEnd(source, start, lineEnd);
    switch (id) {
      case FIELD.connection:
        this.takeConnection(start, end);
        return null;
      case FIELD.contentLength:
        if (hasTab(source, afterColon, lineEnd)) return REJECT.length;
        return this.takeLength(start, end, start === afterColon + 1 && end === lineEnd);
      case FIELD.transferEncoding:
        if ((this.repeated & bit) !== 0 || hasTab(source, afterColon, lineEnd)) return REJECT.encoding;
        return isWord(source, start, end, CHUNKED) ? null : REJECT.encoding;
      case FIELD.host:
        this.isPlainField = start === afterColon + 1 && end === lineEnd;
        return this.ownField(id, start, end);
      default:
        return this.ownField(id, start, end);
    }
  }

  /** Of the field that `ownField` is told: one space before its value, none after it. */
  protected isPlainField = false;

  private takeLength(start: number, end: number, isPlain: boolean): Reject | null {
    if (this.contentLength !== -1) return REJECT.repeatedLength;
    if (start === end || end - start > MOST_DIGITS) return REJECT.length;
    let length = 0;
    for (let at = start; at < end; at += 1) {
      const byte = byteAt(this.source, at);
      if (byte < ZERO || byte > NINE) return REJECT.length;
      length = length * 10 + (byte - ZERO);
    }
    this.contentLength = length;
    this.isPlainLength = isPlain && (end - start === 1 || byteAt(this.source, start) !== ZERO);
    return null;
  }

  private takeConnection(start: number, end: number): void {
    if (isWord(this.source, start, end, KEEP_ALIVE)) {
      this.saysKeepAlive = true;
      return;
    }
    if (isWord(this.source, start, end, CLOSE)) {
      this.saysClose = true;
      return;
    }
    const tokens: string[] = [];
    for (const part of this.source.toString("latin1", start, end).toLowerCase().split(",")) {
      const token = part.replaceAll(/^[ \t]+|[ \t]+$/g, "");
      if (token === "close") this.saysClose = true;
      else if (token === "keep-alive") this.saysKeepAlive = true;
      else if (token !== "") tokens.push(token);
    }
    if (tokens.length > 0) this.connectionTokens = [...(this.connectionTokens ?? NONE), ...tokens];
  }

  protected has(id: FieldId): boolean {
    return (this.seen & (1 << id)) !== 0;
  }

  protected isRepeated(id: FieldId): boolean {
    return (this.repeated & (1 << id)) !== 0;
  }

  /** What is wrong with the framing of requests and answers alike. */
  protected checkFraming(): Reject | null {
    const isChunked = this.has(FIELD.transferEncoding);
    if (isChunked && this.contentLength !== -1) return REJECT.lengthAndEncoding;
    if (isChunked && this.minor === 0) return REJECT.oldEncoding;
    this.keepAlive = !this.saysClose && (this.minor === 1 || this.saysKeepAlive);
    return null;
  }
}

/** Parsers differ about a tab beside what frames a message: to llhttp `chunked` with one is another coding. */
function hasTab(buffer: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (byteAt(buffer, at) === TAB) return true;
  return false;
}

/** At a byte that does not belong to a line: CRLF, or what is wrong with it. */
export function lineEnd(buffer: Buffer, at: number, end: number): Step {
  const byte = byteAt(buffer, at);
  if (byte === LF) return REJECT.lineEnd;
  if (byte !== CR) return REJECT.value;
  if (at + 1 >= end) return false;
  return byteAt(buffer, at + 1) === LF ? true : REJECT.lineEnd;
}
