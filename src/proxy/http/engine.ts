import type { Milliseconds } from "../../model/time.ts";
import type { AccessEntry } from "./access-entry.ts";
import type { Refusal } from "./refusal.ts";
import type { RefusedReason } from "./refused.ts";

/**
 * The boundary between HTTP and the data plane's rules. An engine reads requests and carries bytes; everything about
 * services, splits, instances, holding and counting is behind {@link Dispatcher}.
 */
export interface HttpEngine {
  /** Accepts connections on these descriptors, each this worker's own. Resolves when it listens on all. */
  listen(fds: readonly number[]): Promise<void>;
  /**
   * Stops accepting, answers `Connection: close` on each next response, closes idle connections after the announced
   * keep-alive time. Resolves when the last connection has gone, at the deadline at the latest (what is left is cut).
   */
  drain(deadlineMs: Milliseconds): Promise<void>;
}

export interface RequestFacts {
  /** The Host field as it came. */
  readonly host: string;
  /** The request target in origin form, with its query. */
  readonly target: string;
  /** Whether the client has gone, so that nobody waits for the answer any more. */
  readonly isAbandoned: () => boolean;
  /**
   * A field's value by its name in lower case; several of one name joined by ", " (RFC 9110, 5.3), Cookie's by "; ".
   * Undefined when there is none. Read within `admit` alone, and only where `traffic.affinity` names a cookie or header.
   * Every engine has to give it: without it, such affinity finds no key.
   */
  readonly field?: (name: string) => string | undefined;
  /**
   * The client's address without its port, for `affinity: clientAddress`; of a client behind a trusted proxy, the one
   * that is told by it and the trusted ones before it. Read within `admit` alone. Every engine has to give it.
   */
  readonly client?: () => string | undefined;
  /** What the access log will say of it; null or absent: none is kept. */
  readonly access?: AccessEntry | null;
}

export interface Dispatcher {
  /** Finds the instance for a request, or says why there is none; a promise when the request is held. */
  admit(facts: RequestFacts): Admission;
}

/** Counts what an engine lets in, and what it refuses. */
export interface EngineDoor {
  /** A connection has come. False: it is one too many, to be closed; else `closed` follows. */
  opened(address: string): boolean;
  closed(): void;
  /** `address`: of who sent what is refused. `detail`: fixed text, never the peer's bytes; may be empty. */
  refused(reason: RefusedReason, address: string, detail: string): void;
}

/** At once whenever it can be: a promise costs a turn. */
export type Admission = Exchange | Refusal | Promise<Exchange | Refusal>;

/** One request on its way. The engine tells what happens; each request counts once, whatever is told. */
export interface Exchange {
  readonly host: string;
  readonly port: number;
  /** Monotonic milliseconds when it was first given an instance; waiting before that is not the instance's latency. */
  readonly begunAt: Milliseconds;
  /** A new connection stands. */
  connected(): void;
  /** No byte was sent: the same exchange with another instance, or a refusal. */
  connectFailed(): Admission;
  /** The connection ended before any byte of the answer, and the request may be sent again: where to; null: no more tries. */
  replay(): Admission | null;
  /** The head of the final answer came; a latency of null is left out of the histogram. */
  responded(status: number, latencyMs: Milliseconds | null): void;
  /** A WebSocket or an event stream: drains by the long deadline. */
  markLongLived(): void;
  /** The answer ended too early, after its head. */
  broken(): void;
  /** Teal answers with this status instead of the instance. */
  gaveUp(status: number): void;
  /** Nothing more will happen. Idempotent. */
  end(): void;
  /**
   * Set by the engine, called at most once, when a drain deadline ends the request: end both sides, a WebSocket with a
   * Close frame and an event stream with the end of its body where that can be, within some seconds; then `end`.
   */
  onCut: () => void;
  /** Set by the engine: whether its answer has begun, or the client is still sending. It drains by the long deadline. */
  isStreaming: () => boolean;
}

export function isRefusal(admitted: Exchange | Refusal): admitted is Refusal {
  return "code" in admitted;
}
