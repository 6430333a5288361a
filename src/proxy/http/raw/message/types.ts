import type { ProxySettings } from "../../../../model/proxy-settings.ts";

/**
 * The message layer: HTTP/1.1 heads and bodies as bytes, without sockets, timers or strings that nobody asked for.
 * Strict by RFC 9112: a message that two parsers might frame differently is refused, never mended.
 *
 * A head is scanned in place. Its offsets are relative to its first byte, so the bytes may move between calls (a buffer
 * that grows); `keep` copies them for a head that outlives its buffer.
 */
export interface HeadLimits {
  /** The whole head in bytes, its blank line and empty lines before it included; above: 431. */
  readonly headBytes: number;
  /** Above: 431. */
  readonly fields: number;
  /** The request target in bytes; above: 414. Without meaning for answers. */
  readonly targetBytes: number;
}

/** What clients may send. RFC 9112, 3 wants at least 8,000 bytes for the request line. */
export const REQUEST_LIMITS: HeadLimits = { headBytes: 32_768, fields: 200, targetBytes: 16_384 };
/** An app's answer may have a larger head than we take from clients. */
export const RESPONSE_LIMITS: HeadLimits = { headBytes: 65_536, fields: 500, targetBytes: 0 };

export type RejectStatus = 400 | 414 | 431 | 501 | 505;

/** The bytes are not a message that may be passed on: answer and close (an instance's answer: 502 and close). */
export interface Reject {
  readonly kind: "reject";
  readonly status: RejectStatus;
  /** For the debug log; fixed text, never the peer's bytes. */
  readonly reason: string;
}

/** More bytes are needed. Pass it back with the same bytes and more: what was scanned is not scanned again. */
export interface Incomplete<Head> {
  readonly kind: "incomplete";
  /** The head so far; of no use but to go on with. */
  readonly progress: Head;
}

export type HeadResult<Head> = Head | Incomplete<Head> | Reject;

/** How long the body is: `none` nothing follows, `close` until the connection's end (answers only). */
export type FramingKind = "none" | "length" | "chunked" | "close";

/** What both heads have. */
export interface MessageHead {
  readonly kind: "head";
  /** Holds the head from `base` on: the scanned buffer, or after `keep` a copy. */
  readonly source: Buffer;
  readonly base: number;
  /** Bytes of the head: the body begins at (the scanned start + size). */
  readonly size: number;
  /** Where its first line begins, from `base`: after empty lines. */
  readonly line: number;
  /** HTTP/1.`minor`. */
  readonly minor: 0 | 1;
  /**
   * Three numbers per field: where its line begins, where its colon is (both from `base`), its {@link FieldId}; after
   * the last one where the blank line begins. See `field.ts` for names and values.
   */
  readonly fields: readonly number[];
  /** Which known fields there are, and which more than once: bit `1 << FieldId`. */
  readonly seen: number;
  readonly repeated: number;
  /** A Content-Length of 0 is `none`. */
  readonly framing: FramingKind;
  /** Written as `Content-Length: N` without leading zeros or more white space: may go on byte for byte. */
  readonly isPlainLength: boolean;
  /** Content-Length as sent, -1 without one (an answer to HEAD and a 304 may have one, though no body follows). */
  readonly contentLength: number;
  /** Whether the sender will take another message on this connection (version, Connection, framing). */
  readonly keepAlive: boolean;
  /** Lower-case tokens of Connection other than `close` and `keep-alive`; null without any. */
  readonly connectionTokens: readonly string[] | null;
  /** The Upgrade field's value, only when Connection names it and this message may switch; else null. */
  readonly upgrade: string | null;
  /** Copies the bytes out of the scanned buffer, which may then be used anew. Idempotent. */
  keep(): void;
}

export interface RequestHead extends MessageHead {
  /** One of the methods of `method.ts`, always the same string object. */
  readonly method: string;
  /** Origin form, or `*` with OPTIONS; visible ASCII. */
  readonly target: string;
  /** From the target when that is in absolute form (RFC 9112, 3.2.2), else Host; empty without one (HTTP/1.0). */
  readonly host: string;
  readonly framing: "none" | "length" | "chunked";
  readonly hasBody: boolean;
  /** `Expect: 100-continue` from an HTTP/1.1 client with a body to come. */
  readonly expectContinue: boolean;
  /** `TE: trailers`. */
  readonly takesTrailers: boolean;
  /** X-Request-Id is there once, with 1 to 128 visible ASCII characters: it may be kept. */
  readonly hasRequestId: boolean;
  /** Parts that may go on byte for byte, as they are written in the plainest way. */
  readonly isPlainLine: boolean;
  readonly isPlainHost: boolean;
}

export interface ResponseHead extends MessageHead {
  readonly status: number;
  /** Seconds of `Keep-Alive: timeout=N`; -1 when it said nothing. */
  readonly keepAliveTimeout: number;
  /** `Content-Type: text/event-stream`. */
  readonly isEventStream: boolean;
  readonly hasDate: boolean;
  /** The status line is written as `HTTP/1.1 NNN reason`: may go on byte for byte. */
  readonly isPlainLine: boolean;
}

/**
 * Reads one body. `decode` consumes bytes from `start` and returns where it stopped: at `end` (more to come), right
 * after the body (`isDone`), or at an offending byte (`reject`). In between are whole raw bytes that may be passed on
 * unchanged as long as `reject` is null.
 */
export interface BodyDecoder {
  readonly isDone: boolean;
  readonly reject: Reject | null;
  /** `onData` gets the ranges [start, end) of `buffer` that are content. */
  decode(buffer: Buffer, start: number, end: number, onData?: (start: number, end: number) => void): number;
}

/** Who sent a request, made once per connection by `peerOf`. */
export interface Peer {
  readonly address: string;
  readonly scheme: "http" | "https";
  /** Of ours, the one that it reached. */
  readonly port: number;
  /** A proxy of the operator's: its X-Forwarded-* and Forwarded are continued. Anybody else's are replaced. */
  readonly isTrusted: boolean;
  /** Ready-made: X-Forwarded-For, -Proto and -Port of a stranger, and `for=` of Forwarded (RFC 7239). */
  readonly plainLines: string;
  readonly forwardedFor: string;
}

/** `proxy` of teal.yaml, as far as it decides what an instance is told about a request. */
export interface ForwardingRules {
  readonly fields: ProxySettings["forwarded"];
  readonly requestId: ProxySettings["requestId"];
  /** For a request without a valid traceparent; null: none is made. */
  readonly newTraceparent: (() => string) | null;
  readonly isTrusted: (address: string) => boolean;
}

export interface RequestContext {
  readonly peer: Peer;
  readonly rules: ForwardingRules;
  /** The value for Host when the request has none (HTTP/1.0). */
  readonly fallbackHost: string;
  /** Called when the request brings no X-Request-Id that is kept. */
  readonly requestId: () => string;
  /** False: the instance is told `Connection: close`. */
  readonly keepAlive: boolean;
}

export interface ResponseContext {
  /** What the client gets; see `answerFraming`. */
  readonly framing: FramingKind;
  /** Whether the connection to the client stays. A 101 says `Connection: Upgrade` whatever this is. */
  readonly keepAlive: boolean;
  /** Announced in `Keep-Alive: timeout=`, seconds; 0 announces nothing. */
  readonly keepAliveTimeout: number;
  /** Value for Date when the answer has none (RFC 9110, 6.6.1), as an IMF-fixdate. */
  readonly date: string;
}

/*
 * Functions and classes of this folder, in their final form:
 *   scan-request.ts    scanRequestHead(buffer, start, end, limits, progress?): HeadResult<RequestHead>
 *   scan-response.ts   scanResponseHead(buffer, start, end, context: { request, limits }, progress?): HeadResult<ResponseHead>
 *   chunked.ts         class ChunkedDecoder implements BodyDecoder { trailers: readonly string[] }
 *   length.ts          class LengthDecoder implements BodyDecoder { constructor(length) ; left }
 *   write-request.ts   writeRequestHead(head, context, out, at): number   (the end; -1: out has no room)
 *   write-response.ts  writeResponseHead(head, context, out, at): number  (likewise)
 *   answer-framing.ts  answerFraming(response, { minor, method }): FramingKind
 *   peer.ts            peerOf(address, scheme, isTrusted, port): Peer
 *   field.ts           fieldValue(head, name), valueOf(head, FIELD.x): string | null, eachField(head, visit)
 */
