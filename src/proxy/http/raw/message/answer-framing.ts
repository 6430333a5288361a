import type { FramingKind, ResponseHead } from "./types.ts";

/**
 * How an answer is framed for its client. Different from `response.framing` where a body must be framed anew: one that
 * ends with the instance's connection goes chunked, and HTTP/1.0 knows no chunks.
 */
export function answerFraming(response: ResponseHead, request: { readonly minor: 0 | 1 }): FramingKind {
  const { framing } = response;
  if (framing === "none" || framing === "length") return framing;
  return request.minor === 1 ? "chunked" : "close";
}
