import type { Kill } from "../../bench/lib/allowance.ts";
import type { LostExample, VersionTally } from "../../bench/lib/ledger.ts";
import type { TealEvent } from "../../src/model/event.ts";
import type { EpochMilliseconds } from "../../src/model/time.ts";
import type { TrafficSplit, Weights } from "../../src/model/traffic.ts";
import type { LatchRecord } from "../../src/wire/proxy.ts";
import type { StepTimes, Strike } from "./strike.ts";

/** What a step has written down before it does it. */
export interface IntentFact {
  readonly id: string;
  readonly uses: string;
  readonly state: string;
  readonly weights: Weights | null;
  readonly generation: number | null;
  readonly forced: boolean;
}

/** What was on record when a split was found live, a few milliseconds after it was made so. */
export interface RecordSeen {
  /** Of the deployment whose split it is. */
  readonly steps: readonly IntentFact[];
  /** Splits that people have asked for by hand. */
  readonly asked: readonly { readonly weights: Weights; readonly generation: number; readonly forced: boolean }[];
  /** Of the service's row. */
  readonly weights: Weights;
  /** Environment that a deployment is being taken back to. */
  readonly goingBackTo: string | null;
  /** By environment, how many of its instances said just then that they are healthy. */
  readonly healthy: Readonly<Record<string, number>>;
}

/** The proxy's own record at one moment, as its snapshot has it. */
export interface SplitSeen {
  readonly at: EpochMilliseconds;
  readonly split: TrafficSplit | null;
  /** Whose the live split is; null: nobody's. */
  readonly deployment: string | null;
  /** The deployment whose revert made the live split. */
  readonly reverted: string | null;
  readonly latches: readonly Pick<LatchRecord, "deployment" | "fence">[];
  /** Null: it could not be read. */
  readonly record: RecordSeen | null;
}

export interface DeploymentFact {
  readonly id: string;
  readonly goal: string;
  readonly state: string;
  readonly from: string | null;
  readonly to: string;
  readonly version: string | null;
  readonly touchedTraffic: boolean;
  /** Why it was taken back: a code, `abort` for a person's word; null: it was not. */
  readonly cause: string | null;
}

export interface StepFact extends StepTimes {
  readonly deployment: string;
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
/** What a deployment may come to. */
export type Ending = Pick<DeploymentFact, "state" | "cause">;

/** The data plane at rest, as it answers itself. */
export interface LiveFact {
  readonly weights: Weights;
  readonly armed: string | null;
  readonly healthy: readonly { readonly environment: string; readonly count: number }[];
}

/** A person's abort, and when it was answered. */
export interface AbortFact {
  readonly deployment: string;
  readonly at: EpochMilliseconds;
}

/** None of the environment's instances was healthy, by the proxy's own checks, in all of that time. */
export interface SickFact {
  readonly environment: string;
  readonly since: EpochMilliseconds;
  readonly until: EpochMilliseconds;
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
  readonly strikes: readonly Strike[];
  /** How many of each series were to hit a step that was under way. */
  readonly wished: Readonly<Record<string, number>>;
  readonly aborts: readonly AbortFact[];
  readonly sick: readonly SickFact[];
  /** By deployment, what it may have come to beside `completed`. */
  readonly endings: Readonly<Record<string, readonly Ending[]>>;
}

/** While the whole machine was down: from its last instant to the first right answer. */
export interface Outage {
  readonly from: EpochMilliseconds;
  readonly to: EpochMilliseconds;
}

/** One sentence per breach; none: it holds. */
export type Invariant = (evidence: Evidence) => readonly string[];
