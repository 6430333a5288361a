import { type ErrorCode, isErrorCode } from "./catalogue.ts";
import { type Problem, TealError, toTealError } from "./error.ts";

/** A TealError as structured clone can carry it, from one thread to another. */
export interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly problems: readonly Problem[];
  /** Stack of the cause, for the log; null when there was none. */
  readonly cause: string | null;
}

export function sendError(thrown: unknown): SentError {
  const { code, message, remedy, problems, cause } = toTealError(thrown);
  const stack = cause instanceof Error ? (cause.stack ?? cause.message) : null;
  return { code, message, remedy, problems, cause: stack };
}

export function receiveError(sent: SentError): TealError {
  return new TealError(isErrorCode(sent.code) ? sent.code : "internal", sent.message, {
    remedy: sent.remedy,
    problems: sent.problems,
    ...(sent.cause === null ? {} : { cause: new Error(sent.cause) }),
  });
}
