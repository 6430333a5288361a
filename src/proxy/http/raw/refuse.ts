import { STATUS_CODES } from "node:http";
import { REFUSAL, type Refusal, type RefusalCode } from "../refusal.ts";
import type { RefusedReason } from "../refused.ts";
import { REJECT } from "./message/reject.ts";
import type { Reject, RejectStatus } from "./message/types.ts";

const CODES: Readonly<Record<RejectStatus, RefusalCode>> = {
  400: "bad-request",
  414: "target-too-long",
  431: "head-too-large",
  501: "not-implemented",
  505: "version-not-supported",
};

/** The answer to bytes that are no request which may be passed on. */
export function refusalOf(status: RejectStatus): Refusal {
  return REFUSAL[CODES[status]];
}

const FINER: ReadonlyMap<Reject, RefusedReason> = new Map<Reject, RefusedReason>([
  [REJECT.tls, "tls"],
  [REJECT.http2, "http2"],
  [REJECT.length, "framing"],
  [REJECT.repeatedLength, "framing"],
  [REJECT.encoding, "framing"],
  [REJECT.lengthAndEncoding, "framing"],
  [REJECT.oldEncoding, "framing"],
]);

/** Under what it is counted. */
export function reasonOf(reject: Reject): RefusedReason {
  return FINER.get(reject) ?? CODES[reject.status];
}

interface RefusalOptions {
  readonly date: string;
  readonly isHead: boolean;
  readonly isLast: boolean;
}

/** Teal's own answer, whole. */
export function refusalText(refusal: Refusal, { date, isHead, isLast }: RefusalOptions): string {
  const reason = STATUS_CODES[refusal.status] ?? "Error";
  const lines = [
    `HTTP/1.1 ${String(refusal.status)} ${reason}`,
    `Teal-Error: ${refusal.code}`,
    `Content-Type: ${refusal.type ?? "text/plain"}`,
    `Content-Length: ${String(refusal.body.length)}`,
    `Date: ${date}`,
  ];
  if (refusal.type !== undefined) lines.push("Cache-Control: no-store");
  const retryAfterS = refusal.retryAfterS ?? (refusal.status === 503 ? 1 : undefined);
  if (retryAfterS !== undefined) lines.push(`Retry-After: ${String(retryAfterS)}`);
  if (isLast) lines.push("Connection: close");
  lines.push("", isHead ? "" : refusal.body);
  return lines.join("\r\n");
}
