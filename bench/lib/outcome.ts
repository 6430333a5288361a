/**
 * Why a request is lost (docs: "Lost"): `refused` the connect; `reset` before an answer; no whole answer in time; an
 * answer `truncated` or not the right one (`wrong-body`); an effect `duplicated`, or `vanished`: confirmed to the client
 * but not in the app's own ledger; or an answer that Teal made itself.
 */
export const LOST_REASONS = [
  "refused",
  "reset",
  "timeout",
  "truncated",
  "wrong-body",
  "duplicated",
  "vanished",
  "teal-error",
] as const;
export type LostReason = (typeof LOST_REASONS)[number];

export type Outcome =
  /** The right answer of the app. */
  | { readonly kind: "ok"; readonly version: string }
  /** The app's own 5xx: the release's fault, not the data plane's. */
  | { readonly kind: "failed"; readonly version: string; readonly status: number }
  | { readonly kind: "lost"; readonly reason: LostReason; readonly detail: string }
  /** HTTP/1.1's own race: the client reused a connection that was idle beyond the announced keep-alive time. */
  | { readonly kind: "idle-race" }
  /** Never begun: the generator had no connection or descriptor left for it. */
  | { readonly kind: "skipped"; readonly detail: string }
  /** Ended by the generator's own signal. */
  | { readonly kind: "cancelled" };
