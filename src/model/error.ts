import { CATALOGUE, type ErrorCode } from "./catalogue.ts";

/** One place in a file where something is wrong. */
export interface Problem {
  /** Dotted path in teal.yaml, `services.web.health.interval`; empty for the document. */
  readonly path: string;
  /** 1-based line; null when there is none. */
  readonly line: number | null;
  readonly message: string;
}

export interface TealErrorOptions {
  readonly cause?: unknown;
  /** What to do, when it is more exact than the catalogue's remedy. */
  readonly remedy?: string;
  readonly problems?: readonly Problem[];
}

/**
 * The one error that crosses module borders. `code` is a key of the catalogue and is the same in the CLI, the API and
 * the docs; `message` says what happened in this case; `remedy` what to do.
 */
export class TealError extends Error {
  override readonly name = "TealError";
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, options: TealErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy ?? CATALOGUE[code].remedy;
    this.problems = options.problems ?? [];
  }

  /** Process exit code of the CLI for this error. */
  get exit(): number {
    return CATALOGUE[this.code].exit;
  }

  /** HTTP status of the API for this error. */
  get status(): number {
    return CATALOGUE[this.code].status;
  }
}

/** Takes what went wrong where nobody waits for an answer, for the log. `about`: fields of its line. */
export type Report = (problem: TealError, about: Readonly<Record<string, unknown>>) => void;

/** Anything thrown, as a TealError: unknown values are coerced once, here, and keep their cause. */
export function toTealError(thrown: unknown): TealError {
  if (thrown instanceof TealError) return thrown;
  if (isTimeout(thrown)) return new TealError("deadline-passed", "it did not answer in time", { cause: thrown });
  if (thrown instanceof Error) return new TealError("internal", thrown.message, { cause: thrown });
  return new TealError("internal", `something that is not an error was thrown: ${String(thrown)}`, { cause: thrown });
}

/** What `AbortSignal.timeout` aborts with: a DOMException named so (DOM standard, section 3.2). */
function isTimeout(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === "TimeoutError";
}
