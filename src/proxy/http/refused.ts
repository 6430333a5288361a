import { REFUSAL, type RefusalCode } from "./refusal.ts";

/** Why bytes or a connection were refused, where Teal's own answer does not tell it finely enough, or there is none. */
const FINER = [
  /** A length or an encoding by which two parsers may see two messages. */
  "framing",
  /** The first byte is that of a TLS handshake. */
  "tls",
  /** The preface of HTTP/2. */
  "http2",
  "head-timeout",
  "bad-body",
  /** The client takes none of its answer. */
  "write-timeout",
  "connection-limit",
  /** An instance's bytes are no answer, or end too early. */
  "bad-answer",
] as const;

export type RefusedReason = RefusalCode | (typeof FINER)[number];

/** In the order of their counters. */
export const REFUSED_REASONS: readonly RefusedReason[] = [...(Object.keys(REFUSAL) as RefusalCode[]), ...FINER];
