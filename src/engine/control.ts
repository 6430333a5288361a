import type { Approval } from "../model/approval.ts";
import type { Deployment } from "../model/deployment.ts";
import type { EnvironmentState } from "../model/environment.ts";
import type { TealEvent } from "../model/event.ts";
import type { MaintenanceMode, MaintenanceRecord } from "../model/maintenance.ts";
import type { Milliseconds } from "../model/time.ts";
import type { DriftChoice } from "../model/hold.ts";
import type { Plan } from "../model/plan.ts";
import type { ServiceStatus } from "../model/status.ts";
import type { Receipt, Weights } from "../model/traffic.ts";
import type { LogLine } from "../ports/environment.ts";
import type { DeploymentRecord } from "../store/deployment-record.ts";
import type { StepRow } from "../store/store.ts";

/** Who asks, and why: goes into the history and the events. */
export interface Asker {
  readonly by: string;
  readonly reason: string | null;
  /** Repeating a request under the same key answers with the first one's deployment. */
  readonly idempotencyKey: string | null;
}

export type PlanQuestion =
  | { readonly goal: "deploy"; readonly service: string; readonly version: string; readonly variables: Variables }
  | { readonly goal: "switch"; readonly service: string; readonly to: string; readonly force?: boolean }
  | { readonly goal: "retire"; readonly service: string; readonly to: string }
  | { readonly goal: "rollback"; readonly service: string };

/** A plan, and the releases between which it goes. */
export interface PlanView extends Plan {
  readonly releases: { readonly from: string | null; readonly to: string };
}

/** What is to become of a service's requests. */
export interface MaintenanceRequest extends Omit<Asker, "idempotencyKey"> {
  readonly mode: MaintenanceMode;
  /** Of a hold: how long at most, and what it becomes then; null: as teal.yaml says. */
  readonly longestMs: Milliseconds | null;
  readonly endsIn: "off" | "on" | null;
  /** Ends WebSockets and event streams too. */
  readonly close: boolean;
}

export interface MaintenanceOutcome {
  readonly service: string;
  readonly record: MaintenanceRecord;
  /** False: it was so already. */
  readonly changed: boolean;
  /** What could not be done as teal.yaml says. */
  readonly warnings: readonly string[];
}

/** Values for `${env:X}` that came with the request. */
export type Variables = Readonly<Record<string, string>>;

export interface DeploymentView {
  readonly deployment: Deployment;
  readonly steps: readonly StepRow[];
  readonly receipts: readonly Receipt[];
}

export interface Switched {
  readonly deployment: Deployment;
  /** Not final yet when requests are still draining; null when it did not come to a switch within the call. */
  readonly receipt: Receipt | null;
}

export interface Passed {
  readonly deployment: Deployment;
  /** The one that counts. */
  readonly approval: Approval;
  /** Whether somebody had approved it before. */
  readonly repeated: boolean;
}

/** A split set by hand: these weights, or what becomes of a live one that Teal did not set. */
export interface TrafficRequest extends Asker {
  readonly wish: { readonly weights: Weights } | { readonly drift: DriftChoice };
  /** Also for environments without a healthy instance, and while a deployment is under way. */
  readonly force: boolean;
}

export interface TrafficSet {
  readonly service: string;
  readonly weights: Weights;
  readonly generation: number;
  /** Null when nothing had to be changed at the data plane. */
  readonly receipt: Receipt | null;
}

export interface EnvironmentRequest extends Asker {
  readonly service: string;
  readonly environment: string;
  /** Ends the looking; what has been recorded is done even so. */
  readonly signal: AbortSignal;
}

export interface EnvironmentChanged {
  readonly service: string;
  readonly environment: string;
  readonly state: EnvironmentState;
  /** False: it was so already. */
  readonly changed: boolean;
  /** Of a retirement: the deployment that does it. */
  readonly deployment: string | null;
}

/**
 * What the engine does for those who ask: one method per verb. The HTTP API is one line per verb into this.
 * Every method throws a TealError with a code of the catalogue.
 */
export interface Control {
  status(signal: AbortSignal): Promise<readonly ServiceStatus[]>;
  serviceStatus(service: string, signal: AbortSignal): Promise<ServiceStatus>;
  /** The plan that the same request would run now; changes nothing. */
  plan(question: PlanQuestion, signal: AbortSignal): Promise<PlanView>;
  /** Accepts a deployment and returns; it runs on. */
  deploy(
    service: string,
    request: Asker & { readonly version: string; readonly supersede: boolean; readonly variables: Variables },
    signal: AbortSignal,
  ): Promise<Deployment>;
  /** Accepts a switch and waits until the data plane has applied it, or it has failed. */
  switch(
    service: string,
    request: Asker & { readonly to: string; readonly force: boolean },
    signal: AbortSignal,
  ): Promise<Switched>;
  /** During a deployment: its abort. Else back to the release before: by a switch when it is warm. */
  rollback(service: string, request: Asker, signal: AbortSignal): Promise<Switched>;
  /** Traffic is back when this returns; the clean-up runs on. */
  abort(deployment: string, request: Asker, signal: AbortSignal): Promise<Deployment>;
  /**
   * Lets a deployment pass its gate, now or when it gets there. The first approval counts: later ones change nothing.
   * @throws `nothing-to-approve`, `deployment-ended`
   */
  approve(deployment: string, request: Asker): Promise<Passed>;
  /** Returns when the data plane has it. The mode stays through restarts, deployments and reboots until it is changed. */
  maintenance(service: string, request: MaintenanceRequest): Promise<MaintenanceOutcome>;
  /**
   * Lets a deployment go on that holds; a frozen one tries to go back at once. Returns when that is recorded.
   * @throws `nothing-to-resume`, `deployment-ended`; `drift` without a choice; `unhealthy` while going back would be worse
   */
  resume(
    deployment: string,
    request: Asker & { readonly drift: DriftChoice | null },
    signal: AbortSignal,
  ): Promise<Deployment>;
  /**
   * Sets the split by hand, under the fence; returns when the data plane has it.
   * @throws `deployment-running` unless that holds or it is forced; `unhealthy` unless forced
   */
  traffic(service: string, request: TrafficRequest, signal: AbortSignal): Promise<TrafficSet>;
  /** Without traffic and needed by no deployment; it stays stopped until it is started or deployed to. */
  stopEnvironment(request: EnvironmentRequest): Promise<EnvironmentChanged>;
  /** Returns when it is healthy. */
  startEnvironment(request: EnvironmentRequest): Promise<EnvironmentChanged>;
  /** Another number of instances, until the next deploy to it; returns when they are healthy. */
  scaleEnvironment(request: EnvironmentRequest & { readonly count: number }): Promise<EnvironmentChanged>;
  /** Begins its retirement, and returns. */
  retireEnvironment(request: EnvironmentRequest): Promise<EnvironmentChanged>;
  deployment(id: string): Promise<DeploymentView>;
  /** All that is on record of it. */
  record(id: string): Promise<DeploymentRecord>;
  history(service: string, limit: number): Promise<readonly Deployment[]>;
  /** Events with `seq > after`, and on as they come when `follow`. */
  events(after: number, follow: boolean, signal: AbortSignal): AsyncIterable<TealEvent>;
  lastSeq(): Promise<number>;
  logs(
    service: string,
    options: {
      readonly environment: string | null;
      readonly lines: number;
      readonly follow: boolean;
      readonly signal: AbortSignal;
    },
  ): AsyncIterable<LogLine>;
}
