import type { ProxyTimeouts } from "../../../model/proxy-settings.ts";
import type { Milliseconds } from "../../../model/time.ts";
import type { AccessSink } from "../access-entry.ts";
import type { Dispatcher, EngineDoor } from "../engine.ts";
import type { ForwardingRules, HeadLimits } from "./message/types.ts";
import type { Outbox } from "./outbox.ts";
import type { Sweeper } from "./sweeper.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** What all connections of a worker share. */
export interface EngineContext {
  readonly dispatcher: Dispatcher;
  readonly pool: UpstreamPool;
  readonly sweeper: Sweeper;
  readonly outbox: Outbox;
  readonly timeouts: ProxyTimeouts;
  readonly forwarding: ForwardingRules;
  readonly headLimits: HeadLimits;
  /** Of a request's body; Infinity: none. */
  readonly bodyBytes: number;
  /** Monotonic milliseconds. */
  readonly now: () => Milliseconds;
  readonly requestId: () => string;
  /** The time as an IMF-fixdate. */
  readonly date: () => string;
  readonly isDraining: () => boolean;
  readonly door: EngineDoor;
  /** Null: no access log is kept. */
  readonly access: AccessSink | null;
  /** A fault of our own, which ends one connection only. */
  readonly onError: (what: string, error: Error) => void;
}
