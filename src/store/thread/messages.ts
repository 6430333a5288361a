import { type ErrorCode, isErrorCode } from "../../model/catalogue.ts";
import { type Problem, TealError, toTealError } from "../../model/error.ts";
import type { StoreMethod } from "../sync.ts";

/** What the store's thread is started with. */
export interface StoreThreadData {
  readonly file: string;
  /** Absolute path of the ballast; null: none. */
  readonly ballast: string | null;
}

/** Client → thread. */
export interface CallMessage {
  readonly id: number;
  readonly method: StoreMethod;
  readonly values: readonly unknown[];
}

/** Id of the first message of a thread: whether the store is open. */
export const OPENED = 0;

/** Thread → client. */
export type AnswerMessage =
  { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: SentError };

/** A TealError as structured clone can carry it. */
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
