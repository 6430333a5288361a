import type { Campaign } from "../campaign.ts";

export const SIDES = ["blue", "green"] as const;
export type Side = (typeof SIDES)[number];

export function otherOf(side: Side): Side {
  return side === "blue" ? "green" : "blue";
}

/** What is to become of a deployment that is under way, as far as what was done meanwhile decides that. */
export interface Pending {
  readonly id: string;
  readonly version: string;
  readonly to: Side;
  /** States that it may end in. */
  may: ReadonlySet<string>;
  /** Not approved yet. */
  waits: boolean;
}

/** One service as a person thinks of it: a version on each side, one of them active, and at most one deployment. */
export interface Model {
  active: Side;
  /** By side; null: nothing is there. */
  readonly versions: Record<Side, string | null>;
  readonly running: Record<Side, boolean>;
  pending: Pending | null;
  maintenance: "off" | "on" | "hold";
  /** By `performance.now()`: nothing new is begun after it. */
  readonly until: number;
}

/** The real thing, and what was done to it, for a message. */
export interface Real {
  readonly campaign: Campaign;
  readonly done: string[];
}
