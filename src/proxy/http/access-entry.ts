import type { EpochMilliseconds, Milliseconds } from "../../model/time.ts";

/** What the access log will say of one request; filled in while it is on its way. */
export class AccessEntry {
  readonly at: EpochMilliseconds;
  /** Monotonic. */
  readonly since: Milliseconds;
  client = "";
  method: string | null = null;
  host: string | null = null;
  /** Without its query, which may hold what is nobody's business: tokens, names, addresses. */
  path: string | null = null;
  requestId: string | null = null;
  service: string | null = null;
  environment: string | null = null;
  instance: string | null = null;
  release: string | null = null;
  /** Null: the client went before any answer. */
  status: number | null = null;
  tealError: string | null = null;
  bytesIn = 0;
  bytesOut = 0;
  /** Until an instance was there for it. */
  waitMs: Milliseconds | null = null;
  /** From the request's last byte to the answer's first. */
  responseMs: Milliseconds | null = null;
  retries = 0;
  isRescued = false;
  isHeld = false;
  /** The connection ended before the answer did. */
  isAborted = false;

  constructor(at: EpochMilliseconds, since: Milliseconds) {
    this.at = at;
    this.since = since;
  }
}

/** Takes one entry for each request; makes nobody wait. */
export interface AccessSink {
  begin(): AccessEntry;
  end(entry: AccessEntry): void;
}
