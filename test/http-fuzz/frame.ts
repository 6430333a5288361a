/** One message as a parser framed it. */
export interface Frame {
  /** `GET /a` or `200`. */
  readonly start: string;
  readonly minor: number;
  /** `name: value`, as they came. */
  readonly fields: readonly string[];
  readonly keepAlive: boolean;
  /** The parser says that other bytes than HTTP follow. */
  readonly isUpgrade: boolean;
  body: string;
  trailers: readonly string[];
  isComplete: boolean;
}

export interface Framing {
  readonly frames: readonly Frame[];
  /** Why the bytes were refused; null when they were not. */
  readonly refusal: string | null;
}

export type MessageKind = "request" | "response";
