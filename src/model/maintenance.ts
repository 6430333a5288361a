import type { EpochMilliseconds, Milliseconds } from "./time.ts";

/** What becomes of a service's requests: `on`: Teal answers them; `hold`: they wait. */
export const MAINTENANCE_MODES = ["off", "on", "hold"] as const;
export type MaintenanceMode = (typeof MAINTENANCE_MODES)[number];

/** `traffic.maintenance` of teal.yaml. */
export interface MaintenanceSpec {
  /** Absolute path of the page; null: the one built in. */
  readonly page: string | null;
  /** Status of the answer, 400…599. */
  readonly status: number;
  /** What the answer's Retry-After says. */
  readonly retryAfterMs: Milliseconds;
  /** Addresses and networks of clients that get the app all the same. */
  readonly allow: readonly string[];
  readonly hold: HoldSpec;
}

export interface HoldSpec {
  /** Longest that one request waits. */
  readonly deadlineMs: Milliseconds;
  /** Most requests that wait at a time. */
  readonly most: number;
  /** Longest that a hold lasts when nobody ends it. */
  readonly longestMs: Milliseconds;
  /** What it ends in then. */
  readonly endsIn: "off" | "on";
}

export const MAINTENANCE_DEFAULTS: MaintenanceSpec = {
  page: null,
  status: 503,
  retryAfterMs: 60_000,
  allow: [],
  hold: { deadlineMs: 30_000, most: 1_000, longestMs: 300_000, endsIn: "off" },
};

/** A page as it is served. */
export interface MaintenancePage {
  /** Its Content-Type. */
  readonly type: string;
  /** Its bytes, in base64. */
  readonly base64: string;
}

/** All that a data plane has to know of a service's maintenance. */
export interface MaintenanceOrder {
  readonly mode: MaintenanceMode;
  /** When a hold ends by itself; null: the mode stays until it is changed. */
  readonly until: EpochMilliseconds | null;
  /** The mode that it ends in. */
  readonly endsIn: "off" | "on";
  /** Null: the page built in. */
  readonly page: MaintenancePage | null;
  readonly status: number;
  readonly retryAfterMs: Milliseconds;
  readonly allow: readonly string[];
  readonly deadlineMs: Milliseconds;
  readonly most: number;
}

/** The wish as it is on record: what was ordered last, by whom, since when and why. */
export interface MaintenanceRecord {
  /** Grows with each order of a service; the newer one wins. */
  readonly revision: number;
  readonly order: MaintenanceOrder;
  readonly since: EpochMilliseconds;
  readonly by: string;
  readonly reason: string | null;
}

/** The mode at a time: a hold that has come to its end is over, whether anybody has said so or not. */
export function modeAt({ mode, until, endsIn }: MaintenanceOrder, now: EpochMilliseconds): MaintenanceMode {
  return until !== null && now >= until ? endsIn : mode;
}

/** Counts of one service since the data plane's epoch began; they only grow, but for `waiting`. */
export interface MaintenanceCounts {
  /** Requests that were answered with the page. */
  readonly answered: number;
  /** Requests that began to wait in a hold. */
  readonly held: number;
  /** Of those, given to an instance afterwards. */
  readonly released: number;
  /** Of those, whose time was over, or for which there was no room. */
  readonly timedOut: number;
  /** Requests that wait now, for a hold's end or for an instance. */
  readonly waiting: number;
}
