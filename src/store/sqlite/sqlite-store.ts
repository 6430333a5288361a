import type { Approval } from "../../model/approval.ts";
import { type Deployment, isEnded } from "../../model/deployment.ts";
import type { ChangeLog } from "../../model/dora.ts";
import type { EnvironmentRecord } from "../../model/environment.ts";
import type { NewEvent, TealEvent } from "../../model/event.ts";
import type { MaintenanceRecord } from "../../model/maintenance.ts";
import type { Plan } from "../../model/plan.ts";
import type { Release } from "../../model/release.ts";
import type { SeriesChunk } from "../../model/series.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import type { Receipt } from "../../model/traffic.ts";
import type {
  Accepted,
  Approved,
  NewDeployment,
  RetirementRow,
  ServiceOutline,
  ServiceRow,
  StepRow,
  StoredToken,
  Transition,
} from "../store.ts";
import type { SyncStore } from "../sync.ts";
import { Database, type DatabaseOptions, type StoreTask } from "./database.ts";
import * as aborts from "./aborts.ts";
import * as approvals from "./approvals.ts";
import * as changes from "./changes.ts";
import * as deployments from "./deployments.ts";
import * as environments from "./environments.ts";
import * as events from "./events.ts";
import { pruneEvents } from "./prune-events.ts";
import * as maintenance from "./maintenance.ts";
import * as receipts from "./receipts.ts";
import * as releases from "./releases.ts";
import * as retirements from "./retirements.ts";
import * as series from "./series.ts";
import * as services from "./services.ts";
import * as steps from "./steps.ts";
import * as tokens from "./tokens.ts";
import { applyTransition } from "./transition.ts";

/**
 * The store on one SQLite file: every method blocks until the disk has it. Runs in a thread of its own
 * ({@link openSqliteStore}), and beside it read-only ({@link sqliteReaders}); the owner of the state directory is its only user.
 */
export class SqliteStore implements SyncStore {
  readonly #database: Database;

  /** @throws `store-failed`; `protocol-mismatch` when a newer version of Teal has written the file */
  constructor(file: string, options: DatabaseOptions = {}) {
    this.#database = new Database(file, options);
  }

  claim(service: string, observedFence: number): ServiceRow {
    return this.#database.transaction(() => services.claim(this.#database, service, observedFence));
  }
  services(): readonly ServiceRow[] {
    return services.services(this.#database);
  }
  service(service: string): ServiceRow | null {
    return services.service(this.#database, service);
  }
  environments(service: string): readonly EnvironmentRecord[] {
    return environments.environments(this.#database, service);
  }
  outline(service: string): ServiceOutline {
    return this.#database.snapshot(() => ({
      row: this.service(service),
      environments: this.environments(service),
      unfinished: this.unfinished(service)[0] ?? null,
      retirement: this.retirements(service)[0] ?? null,
      maintenance: this.maintenance(service),
    }));
  }

  release(service: string, id: string): Release | null {
    return releases.release(this.#database, service, id);
  }
  releases(service: string): readonly Release[] {
    return releases.releases(this.#database, service);
  }
  removeRelease(service: string, id: string, given: readonly NewEvent[]): readonly TealEvent[] {
    return this.#database.transaction(() => {
      releases.removeRelease(this.#database, service, id);
      return events.appendEvents(this.#database, given);
    });
  }

  accept(row: NewDeployment): Accepted {
    return this.#database.transaction(() => this.#accept(row));
  }
  transition(change: Transition): readonly TealEvent[] {
    return this.#database.transaction(() => applyTransition(this.#database, change));
  }
  deployment(id: string): Deployment | null {
    return deployments.deployment(this.#database, id);
  }
  withKey(service: string, key: string): Deployment | null {
    return deployments.withKey(this.#database, service, key);
  }
  rememberAbort(service: string, key: string, deployment: string): void {
    aborts.rememberAbort(this.#database, service, key, deployment);
  }
  abortedWithKey(service: string, key: string): Deployment | null {
    return aborts.abortedWithKey(this.#database, service, key);
  }
  plan(deployment: string): Plan | null {
    return steps.plan(this.#database, deployment);
  }
  steps(deployment: string): readonly StepRow[] {
    return steps.steps(this.#database, deployment);
  }
  unfinished(service?: string): readonly Deployment[] {
    return deployments.unfinished(this.#database, service ?? null);
  }
  changes(service: string, since: EpochMilliseconds): ChangeLog {
    return changes.changes(this.#database, service, since);
  }
  history(service: string, limit: number): readonly Deployment[] {
    return deployments.history(this.#database, service, limit);
  }

  approve(deployment: string, approval: Approval, given: readonly NewEvent[]): Approved {
    return this.#database.transaction(() => approvals.approve(this.#database, deployment, approval, given));
  }
  approval(deployment: string): Approval | null {
    return approvals.approval(this.#database, deployment);
  }

  retirements(service?: string): readonly RetirementRow[] {
    return retirements.retirements(this.#database, service ?? null);
  }
  maintenance(service: string): MaintenanceRecord | null {
    return maintenance.maintenance(this.#database, service);
  }
  tokens(): readonly StoredToken[] {
    return tokens.tokens(this.#database);
  }
  addToken(token: StoredToken, given: readonly NewEvent[]): readonly TealEvent[] {
    return this.#database.transaction(() => {
      tokens.addToken(this.#database, token);
      return events.appendEvents(this.#database, given);
    });
  }
  removeToken(id: string, given: readonly NewEvent[]): readonly TealEvent[] {
    return this.#database.transaction(() => {
      tokens.removeToken(this.#database, id);
      return events.appendEvents(this.#database, given);
    });
  }
  markTokenUsed(id: string, at: EpochMilliseconds): void {
    this.#database.transaction(() => {
      tokens.markTokenUsed(this.#database, id, at);
    });
  }
  receipts(deployment: string): readonly Receipt[] {
    return receipts.receipts(this.#database, deployment);
  }
  putReceipt(receipt: Receipt): void {
    this.#database.transaction(() => {
      receipts.putReceipt(this.#database, receipt);
    });
  }

  append(given: readonly NewEvent[]): readonly TealEvent[] {
    return this.#database.transaction(() => events.appendEvents(this.#database, given));
  }
  events(after: number, limit: number): readonly TealEvent[] {
    return events.events(this.#database, after, limit);
  }
  eventsOf(deployment: string, after: number, limit: number): readonly TealEvent[] {
    return events.eventsOf(this.#database, deployment, after, limit);
  }
  lastSeq(): number {
    return events.lastSeq(this.#database);
  }
  putSeries(chunk: SeriesChunk): void {
    this.#database.transaction(() => {
      series.putSeries(this.#database, chunk);
    });
  }
  lastSeries(deployment: string): SeriesChunk | null {
    return series.lastSeries(this.#database, deployment);
  }

  series(deployment: string): readonly SeriesChunk[] {
    return series.series(this.#database, deployment);
  }
  prune(before: EpochMilliseconds, given: NewEvent): readonly TealEvent[] {
    return this.#database.transaction(() => {
      const written = pruneEvents(this.#database, before, given);
      steps.prunePlans(this.#database, before);
      approvals.pruneApprovals(this.#database, before);
      series.pruneSeries(this.#database, before);
      return written;
    });
  }
  close(): void {
    this.#database.close();
  }

  /** See {@link Database.together}. */
  together(tasks: readonly StoreTask[]): void {
    this.#database.together(tasks);
  }

  #accept(row: NewDeployment): Accepted {
    const { deployment, idempotencyKey } = row;
    const first =
      idempotencyKey === null ? null : deployments.withKey(this.#database, deployment.service, idempotencyKey);
    // Its own key with its own id is no repeated request: see below.
    if (first !== null && (first.id !== deployment.id || isEnded(first.state)))
      return { kind: "repeated", deployment: first };
    const other = deployments.unfinishedOf(this.#database, deployment.service);
    if (other !== null) {
      // The same id again: its answer was lost on the way (the store's thread ended), and the caller tries once more.
      return other.id === deployment.id
        ? { kind: "accepted", events: events.eventsOf(this.#database, deployment.id, 0, row.events.length) }
        : { kind: "busy", deployment: other };
    }
    services.ensureService(this.#database, deployment.service);
    if (row.release !== null) releases.putRelease(this.#database, row.release);
    deployments.insertDeployment(this.#database, deployment, idempotencyKey);
    steps.putPlan(this.#database, deployment.id, row.plan);
    return { kind: "accepted", events: events.appendEvents(this.#database, row.events) };
  }
}
