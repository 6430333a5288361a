import type { Kill } from "../../bench/lib/allowance.ts";
import type { LostExample, VersionTally } from "../../bench/lib/ledger.ts";
import type { TealEvent } from "../../src/model/event.ts";
import type { EpochMilliseconds } from "../../src/model/time.ts";
import type { TrafficSplit, Weights } from "../../src/model/traffic.ts";
import type { LatchRecord } from "../../src/wire/proxy.ts";

/** The proxy's own record at one moment, as its snapshot has it. */
export interface SplitSeen {
  readonly at: EpochMilliseconds;
  readonly split: TrafficSplit | null;
  /** Whose the live split is; null: nobody's. */
  readonly deployment: string | null;
  /** The deployment whose revert made the live split. */
  readonly reverted: string | null;
  readonly latches: readonly Pick<LatchRecord, "deployment" | "fence">[];
}

export interface DeploymentFact {
  readonly id: string;
  readonly goal: string;
  readonly state: string;
  readonly from: string | null;
  readonly to: string;
  readonly version: string | null;
  readonly touchedTraffic: boolean;
}

export interface StepFact {
  readonly deployment: string;
  readonly id: string;
  readonly state: string;
}

/** A row of the table of events, as it is; the hash in hexadecimal. */
export interface JournalRow extends Omit<TealEvent, "type" | "data"> {
  readonly type: string;
  readonly data: string;
  readonly hash: string;
}

/** The tables that make the chain of events. */
export interface JournalFact {
  readonly rows: readonly JournalRow[];
  /** How many are on record. */
  readonly gaps: number;
  readonly head: { readonly seq: number; readonly hash: string } | null;
}

/** The data plane at rest, as it answers itself. */
export interface LiveFact {
  readonly weights: Weights;
  readonly armed: string | null;
  readonly healthy: readonly { readonly environment: string; readonly count: number }[];
}

/**
 * What is left when all has ended: the tables of the database as they stand in the file, what the proxy's snapshot had in
 * the course of time, and what the client has seen. None of it comes through the server, which is what is judged.
 */
export interface Evidence {
  /** Ids that the API has answered a request with, and that are to be on record. */
  readonly acknowledged: readonly string[];
  /** Others, which went with the database when an older copy took its place. */
  readonly unrecorded: readonly string[];
  readonly events: readonly TealEvent[];
  /** Events as a client that follows them was given them. */
  readonly served: readonly TealEvent[];
  readonly journal: JournalFact;
  readonly deployments: readonly DeploymentFact[];
  readonly steps: readonly StepFact[];
  /** The service's row. */
  readonly record: { readonly weights: Weights; readonly active: string | null };
  /** Version that each environment is to run, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly seen: readonly SplitSeen[];
  readonly live: LiveFact;
  /** Versions that answered when all was at rest. */
  readonly answering: readonly string[];
  /** When each version answered the load. */
  readonly answered: Readonly<Record<string, Pick<VersionTally, "firstAt" | "lastAt">>>;
  /** Whether Teal's clock was the client's all the time: else the times of events and of answers cannot be compared. */
  readonly sameClock: boolean;
  readonly losses: readonly LostExample[];
  readonly kills: readonly Kill[];
  readonly outages: readonly Outage[];
}

/** While the whole machine was down: from its last instant to the first right answer. */
export interface Outage {
  readonly from: EpochMilliseconds;
  readonly to: EpochMilliseconds;
}

/** One sentence per breach; none: it holds. */
export type Invariant = (evidence: Evidence) => readonly string[];
