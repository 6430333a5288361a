import type { Approval } from "../model/approval.ts";
import type { Deployment, DeploymentState, RollbackCause } from "../model/deployment.ts";
import type { ChangeLog } from "../model/dora.ts";
import type { EnvironmentRecord } from "../model/environment.ts";
import type { NewEvent, TealEvent } from "../model/event.ts";
import type { MaintenanceRecord } from "../model/maintenance.ts";
import type { Plan } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import type { SeriesChunk } from "../model/series.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { Token } from "../model/token.ts";
import type { Receipt, Weights } from "../model/traffic.ts";

/** One service's row: the wish. What is live is observed at the drivers. */
export interface ServiceRow {
  readonly service: string;
  readonly fence: number;
  /** Of the last split that was journaled; the live one may be one ahead after a revert. */
  readonly generation: number;
  readonly weights: Weights;
  readonly active: string | null;
  readonly standby: string | null;
}

/** What there is to know of a service at one moment. */
export interface ServiceOutline {
  /** Null: it has never been deployed. */
  readonly row: ServiceRow | null;
  readonly environments: readonly EnvironmentRecord[];
  readonly unfinished: Deployment | null;
  readonly retirement: RetirementRow | null;
  readonly maintenance: MaintenanceRecord | null;
}

/** pending → running → done; `failed` ends the plan; `undone`: its clean-up is done; `skipped`: never begun. */
export type StepState = "pending" | "running" | "done" | "failed" | "undoing" | "undone" | "skipped";

export interface StepRow {
  readonly deployment: string;
  readonly position: number;
  readonly id: string;
  readonly uses: string;
  readonly title: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly worstMs: number;
  readonly state: StepState;
  readonly attempt: number;
  readonly startedAt: EpochMilliseconds | null;
  readonly endedAt: EpochMilliseconds | null;
  /** What a long step remembers across a crash (when its watch began, say). */
  readonly progress: Readonly<Record<string, unknown>>;
  /** What it ended with: a result, or `{code, message}`. */
  readonly result: Readonly<Record<string, unknown>> | null;
}

/** Contract migration and destruction of an old environment, due at `at`. */
export interface RetirementRow {
  readonly service: string;
  readonly environment: string;
  readonly release: string;
  readonly at: EpochMilliseconds;
}

/** A token as it is kept: `hash` is the SHA-256 of its secret, in hexadecimal. */
export interface StoredToken extends Token {
  readonly hash: string;
}

export interface NewDeployment {
  readonly deployment: Deployment;
  readonly plan: Plan;
  /** Repeating a request with the same key answers with the first one's deployment; null: no key. */
  readonly idempotencyKey: string | null;
  /** The release to record with it; null when it exists already or the goal needs none. */
  readonly release: Release | null;
  readonly events: readonly NewEvent[];
}

/** The outcome of accepting: the mutex is the unique index on the service's unfinished deployment. */
export type Accepted =
  | { readonly kind: "accepted"; readonly events: readonly TealEvent[] }
  /** The same idempotency key came before. */
  | { readonly kind: "repeated"; readonly deployment: Deployment }
  /** Another one is under way. */
  | { readonly kind: "busy"; readonly deployment: Deployment };

/** The outcome of an approval. */
export type Approved =
  | { readonly kind: "approved"; readonly events: readonly TealEvent[] }
  /** Somebody was first. */
  | { readonly kind: "repeated"; readonly approval: Approval };

/**
 * One transition: everything in it becomes durable in one transaction or not at all. Each names the fence under which it
 * is made; a lower one than the service's row is refused with `fenced`.
 */
export interface Transition {
  readonly service: string;
  readonly fence: number;
  /** When it is made: becomes `startedAt` or `endedAt` of a deployment that begins or ends by it. */
  readonly at: EpochMilliseconds;
  readonly deployment?: {
    readonly id: string;
    /**
     * Asserted against the allowed transitions, inside the transaction; naming the state that an unfinished one has
     * already changes nothing, so that a transition can be tried again. Absent: unchanged.
     */
    readonly state?: DeploymentState;
    readonly touchedTraffic?: true;
    /** The first cause wins; later ones are ignored. */
    readonly cause?: RollbackCause;
  };
  /** Of `deployment`, which must then be named. */
  readonly steps?: readonly StepChange[];
  /** New split of the service's row; no weights at all: no release. A lower generation than the stored one is refused, unless the weights are the same: upkeep came in between. */
  readonly split?: { readonly generation: number; readonly weights: Weights };
  readonly roles?: { readonly active: string | null; readonly standby: string | null };
  readonly environments?: readonly EnvironmentRecord[];
  /** Replaces the record of a release (its digest and folder become known when it is unpacked). */
  readonly release?: Release;
  /** A service has at most one retirement: `set` replaces it; `cancel` names its environment, and does nothing when there is none for it. */
  /** `cancel` names the environment. */
  readonly retirement?: { readonly set: RetirementRow } | { readonly cancel: string };
  readonly receipt?: Receipt;
  /** Replaces what was ordered before; one with a lower revision is refused. */
  readonly maintenance?: MaintenanceRecord;
  readonly events: readonly NewEvent[];
}

export interface StepChange {
  readonly id: string;
  readonly state?: StepState;
  readonly attempt?: number;
  readonly startedAt?: EpochMilliseconds;
  readonly endedAt?: EpochMilliseconds;
  readonly progress?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
}

/**
 * The durable record. Every method is one transaction; a method that has returned survives a power cut.
 * All throw `store-failed` when the disk refuses; those with a fence throw `fenced` under a lower one.
 */
export interface Store {
  /** Makes the service's row when there is none, and raises its fence to `max(stored, observed) + 1`. */
  claim(service: string, observedFence: number): Promise<ServiceRow>;
  services(): Promise<readonly ServiceRow[]>;
  service(service: string): Promise<ServiceRow | null>;
  environments(service: string): Promise<readonly EnvironmentRecord[]>;
  /** What each of the others says of the service, as one question. */
  outline(service: string): Promise<ServiceOutline>;

  release(service: string, id: string): Promise<Release | null>;
  /** Newest first. */
  releases(service: string): Promise<readonly Release[]>;
  /** @throws `rollback-target` while an environment is to run it */
  removeRelease(service: string, id: string, events: readonly NewEvent[]): Promise<readonly TealEvent[]>;

  accept(row: NewDeployment): Promise<Accepted>;
  transition(change: Transition): Promise<readonly TealEvent[]>;
  deployment(id: string): Promise<Deployment | null>;
  /** The deployment that was accepted under this idempotency key. */
  withKey(service: string, key: string): Promise<Deployment | null>;
  /**
   * Notes that a rollback under this key became the abort of that deployment; the first note stays. It is about a
   * person's request and not a controller's act, so it has no fence.
   */
  rememberAbort(service: string, key: string, deployment: string): Promise<void>;
  /** The deployment that {@link rememberAbort} has noted. */
  abortedWithKey(service: string, key: string): Promise<Deployment | null>;
  plan(deployment: string): Promise<Plan | null>;
  steps(deployment: string): Promise<readonly StepRow[]>;
  /** Those that have not ended, oldest first; of one service at most one. */
  unfinished(service?: string): Promise<readonly Deployment[]>;
  /** Of a service, without retirements: those that ended at `since` or later, the newest 1,000 of them. */
  changes(service: string, since: EpochMilliseconds): Promise<ChangeLog>;
  /** Newest first. */
  history(service: string, limit: number): Promise<readonly Deployment[]>;

  /**
   * Lets a deployment pass its gate, now or when it gets there; the first approval wins. It is a person's word and not a
   * controller's act, so it has no fence.
   * @throws `deployment-unknown`; `deployment-ended` also for one that is being taken back
   */
  approve(deployment: string, approval: Approval, events: readonly NewEvent[]): Promise<Approved>;
  approval(deployment: string): Promise<Approval | null>;

  /** Soonest first; of one service at most one. */
  retirements(service?: string): Promise<readonly RetirementRow[]>;
  /** What was ordered last of a service's maintenance; null: nothing ever was. */
  maintenance(service: string): Promise<MaintenanceRecord | null>;
  /** Oldest first, expired ones too. */
  tokens(): Promise<readonly StoredToken[]>;
  /** @throws `token-exists` for a name that another one has */
  addToken(token: StoredToken, events: readonly NewEvent[]): Promise<readonly TealEvent[]>;
  /** @throws `token-unknown` */
  removeToken(id: string, events: readonly NewEvent[]): Promise<readonly TealEvent[]>;
  /** Does nothing for one that is not there any more. */
  markTokenUsed(id: string, at: EpochMilliseconds): Promise<void>;
  receipts(deployment: string): Promise<readonly Receipt[]>;
  /** Inserts or replaces by (service, generation); a final one is not replaced by one of the same deployment that is not. */
  putReceipt(receipt: Receipt): Promise<void>;

  /** Events that belong to no transition. */
  append(events: readonly NewEvent[]): Promise<readonly TealEvent[]>;
  /** Those with `seq > after`, oldest first. */
  events(after: number, limit: number): Promise<readonly TealEvent[]>;
  /** Of one deployment those with `seq > after`, oldest first. */
  eventsOf(deployment: string, after: number, limit: number): Promise<readonly TealEvent[]>;
  lastSeq(): Promise<number>;
  /** A piece of a deployment's traffic; one of the same number replaces it. It is a note for people, so it has no fence. */
  putSeries(chunk: SeriesChunk): Promise<void>;
  /** By their numbers. */
  series(deployment: string): Promise<readonly SeriesChunk[]>;
  /** The last of them; null: none is kept. */
  lastSeries(deployment: string): Promise<SeriesChunk | null>;
  /**
   * Removes steps, plans, approvals, traffic and events of deployments that ended before `before`, and older events of no
   * deployment.
   * The deployments themselves stay, with their receipts: they are the history, and some 1 KiB each.
   * Where an event was removed, it writes `event` as well, with two more keys of data: `events`, how many, and `gaps`, the
   * store's own digest of all that it has ever removed.
   */
  prune(before: EpochMilliseconds, event: NewEvent): Promise<readonly TealEvent[]>;
  close(): Promise<void>;
}
