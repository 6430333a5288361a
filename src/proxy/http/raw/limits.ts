import type { Milliseconds } from "../../../model/time.ts";

/** How long the rest of a body that nobody wants is read, so that the client reads its answer before the end. */
export const LINGER_MS: Milliseconds = 2_000;
/** How long what is ended from the middle, and politely, may take to end. */
export const LEAVE_MS: Milliseconds = 2_000;
/** When a client that ended its side is first asked whether it is still there; then at twice the time, and so on. */
export const PROBE_AFTER_MS: Milliseconds = 1_000;
/** Idle connections to instances are kept so long. */
export const UPSTREAM_IDLE_MS: Milliseconds = 60_000;
/** A connection that has idled longer is not used for a request that cannot be sent again: the app may be closing it. */
export const SAFE_IDLE_MS: Milliseconds = 1_000;

/** Idle connections of one worker to one instance. */
export const MAX_IDLE_UPSTREAMS = 1_024;
/** Bytes of one read, and so what one connection can add to a queue at a time. */
export const READ_BYTES = 65_536;
/** Once so many bytes wait for one side, the other side is not read. */
export const WRITE_BOUND_BYTES = 131_072;
/** Once so many bytes behind a request wait for their turn, the client is not read. */
export const AHEAD_BOUND_BYTES = 65_536;
export const BACKLOG = 4_096;
