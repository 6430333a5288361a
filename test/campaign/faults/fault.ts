import type { Skippable } from "../../requires.ts";
import type { Site } from "../../site.ts";
import type { Campaign } from "../campaign.ts";

/** `short`: as tests do it. `long`: more of the same, as the benchmark does. */
export type Size = "short" | "long";

/** One kind of fault, with a deployment or more under it. Afterwards all has ended, and the invariants are looked at. */
export interface Fault {
  /** As docs/failure-modes.md names it. */
  readonly name: string;
  /** Whether requests go through it: not where the whole machine is down. */
  readonly underLoad: boolean;
  /** Of the service, over a campaign's own. */
  readonly service?: Record<string, unknown>;
  /** Ends the test as not runnable on a machine that lacks what it takes. */
  readonly needs?: (test: Skippable) => unknown;
  /** What is done to the machine before Teal is up. */
  readonly prepare?: (site: Site) => void;
  readonly inject: (campaign: Campaign, size: Size) => Promise<void>;
}
