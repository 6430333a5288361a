import type { Milliseconds } from "../../../model/time.ts";
import type { Refusal } from "../refusal.ts";
import type { Facts } from "./facts.ts";
import type { Link } from "./link.ts";
import type { RequestContext } from "./message/types.ts";
import type { Tunnel } from "./tunnel.ts";

/** The client's side of a request. */
export interface PassageClient {
  /** The deadline of the connection; the passage sets it while it has the request. */
  dueAt: Milliseconds;
  readonly link: Link;
  readonly requestContext: RequestContext;
  readonly facts: Facts;
  /** The instance can take the request, or more of its body: `takeBody` and `flush` follow. */
  pump(): void;
  refuse(refusal: Refusal, isHead: boolean, isLast: boolean): void;
  /** The answer has been written; `stays`: the next request may come. */
  answered(stays: boolean): void;
  /** From here on every byte belongs to the tunnel, and so does the connection. */
  switched(tunnel: Tunnel): void;
  /** Ends the connection so that the client does not take what it has of an answer for the whole. */
  destroy(): void;
}
