import type { Tokens } from "../engine/tokens.ts";
import type { TealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";

/** A call that was answered, or whose client has gone. Streams are none. */
export interface AnsweredCall {
  /** As registered, `/v1/services/:service`; `none` when no route was meant. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly tookMs: Milliseconds;
}

/** What the API tells beside what {@link Control} does, and how it is reached. */
export interface ServerInfo {
  /** Version of Teal. */
  readonly version: string;
  /** Where traffic comes in: as written in teal.yaml, and as bound. */
  listeners(): Promise<readonly { readonly listen: string; readonly address: string }[]>;
  /** Prometheus text exposition. */
  metrics(): Promise<string>;
  /** Told of each call at its end. */
  answered?(call: AnsweredCall): void;
  /** Told of every failure that is the server's own (status 5xx), with its cause, for the log. */
  report?(error: TealError, request: { readonly id: string; readonly method: string; readonly url: string }): void;
  /**
   * How clients come in: over the unix socket they are this user, may say who they are and may send variables; over TCP
   * they may do neither. One server serves one channel. `socket` unless told.
   */
  readonly channel?: "socket" | "tcp";
  /** Of the channel `tcp`: names that calls may come by, beside `localhost` and addresses in digits. */
  readonly hosts?: readonly string[];
  readonly tokens: Tokens;
  /** Where the API answers over TCP, once it has followed a change of the tokens. */
  reach(): Promise<{ readonly address: string | null; readonly problem: string | null }>;
  /** A silent event stream gets a sign of life this often; 15 s unless told. */
  readonly heartbeatMs?: Milliseconds;
}
