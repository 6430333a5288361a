import type { Campaign } from "../campaign.ts";

/** One kind of fault, with a deployment or more under it. Afterwards all has ended, and the invariants are looked at. */
export interface Fault {
  /** As docs/failure-modes.md names it. */
  readonly name: string;
  /** Whether requests go through it: not where the whole machine is down. */
  readonly underLoad: boolean;
  /** Of the service, over a campaign's own. */
  readonly service?: Record<string, unknown>;
  /** Environment variables of Teal's processes. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly inject: (campaign: Campaign) => Promise<void>;
}
