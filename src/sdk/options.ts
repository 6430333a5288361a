import type { TealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Longest wait for the whole answer; 30 s unless told. */
  readonly timeoutMs?: Milliseconds;
}

export interface RepeatableOptions extends CallOptions {
  /** Repeating a call under the same key answers with the first one's deployment. */
  readonly idempotencyKey?: string;
}

export interface EventsOptions {
  /** Only events with a higher `seq`; absent: from the newest on. */
  readonly after?: number;
  /** Go on as events come, across restarts of the server; else end at the newest. */
  readonly follow: boolean;
  readonly signal?: AbortSignal;
  /** Called each time that a connection stands: events from then on will arrive. */
  readonly onOpen?: () => void;
  /** Called when a connection was lost and another is tried. */
  readonly onLost?: (error: TealError) => void;
  /** How long the server may be away before that is an error; 60 s unless told. */
  readonly patienceMs?: Milliseconds;
}

export interface LogsOptions {
  readonly environment?: string;
  /** The last so many lines first. */
  readonly lines?: number;
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}
