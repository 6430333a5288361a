import type { RollbackCause } from "../model/deployment.ts";
import type { MaintenanceMode, MaintenanceOrder } from "../model/maintenance.ts";
import type { HealthSpec, TrafficSpec } from "../model/service.ts";
import type { Receipt, SplitOrder, TrafficSample, TrafficSplit, Weights } from "../model/traffic.ts";
import type { ConnectionCounts } from "../model/connections.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { ActContext } from "./context.ts";

/** An environment that may get traffic, with where to send it. */
export interface TrafficBackend {
  readonly environment: string;
  readonly release: string;
  readonly instances: readonly { readonly id: string; readonly address: string }[];
  /** How its release says that it is checked; absent: as the change says. */
  readonly health?: HealthSpec | undefined;
}

/** Everything the data plane has to know of a service; replaces what it knew before as a whole. */
export interface TrafficChange extends SplitOrder {
  readonly service: string;
  /** The deployment that this belongs to; null for upkeep (an instance has moved): with the same weights it leaves armed what is. */
  readonly deployment: string | null;
  readonly weights: Weights;
  readonly backends: readonly TrafficBackend[];
  /** Arms the data plane: what {@link TrafficDriver.revert} and controller loss go back to. Null: nothing to revert. */
  readonly revertTo: Weights | null;
  readonly traffic: TrafficSpec;
  readonly health: HealthSpec;
}

/** An order of maintenance, newer than another by (fence, revision). */
export interface MaintenanceChange {
  readonly service: string;
  readonly fence: number;
  readonly revision: number;
  readonly order: MaintenanceOrder;
  /** Ends the WebSockets and event streams of the service, once; else they stay. */
  readonly close: boolean;
}

export interface TrafficObservation {
  /** Null when the data plane has never heard of the service. */
  readonly split: TrafficSplit | null;
  /** The deployment armed at present. */
  readonly armed: { readonly deployment: string; readonly revertTo: Weights } | null;
  /** Reverted deployments, newest last, with why. */
  readonly latched: readonly Latch[];
  /** Health of each instance as the data plane sees it. */
  readonly instances: readonly {
    readonly id: string;
    readonly environment: string;
    readonly healthy: boolean;
    readonly inFlight: number;
  }[];
  /** The mode that is live; absent: the driver has no maintenance. */
  readonly maintenance?: MaintenanceMode;
}

/** An observation but for what is in flight, which changes with each request. */
export interface ToldObservation extends Omit<TrafficObservation, "instances"> {
  readonly instances: readonly Omit<TrafficObservation["instances"][number], "inFlight">[];
}

export interface Latch {
  readonly deployment: string;
  /** No fence at or below this is accepted again. */
  readonly fence: number;
  readonly at: EpochMilliseconds;
  readonly cause: "revert" | "controller-loss";
  /** Why, in the words of who asked for it; absent: not told, or forgotten for a newer latch of the service. */
  readonly because?: RollbackCause | undefined;
}

/** Divides a service's traffic between its environments. */
export interface TrafficDriver {
  readonly name: string;
  observe(service: string, signal: AbortSignal): Promise<TrafficObservation>;
  /**
   * What the data plane has told of the service by itself: what `observe` would answer, without waiting for it. Null: it has
   * told nothing yet, or may not be alive; ask. It is for statuses alone: whatever plans, acts or reads back asks the data
   * plane itself. Absent: this driver's data plane tells nothing.
   */
  told?(service: string): ToldObservation | null;
  /**
   * Applies the change when it is newer than what is live, and returns when every part of the data plane has
   * acknowledged it. Applying the same again answers the same.
   * @throws `fenced` when something newer is live, `latched` when its deployment was reverted
   */
  apply(change: TrafficChange, context: ActContext): Promise<Receipt>;
  /**
   * Gives the traffic back to what the deployment armed, and latches: needs no store and no fence. The same again is
   * harmless. Returns the split that is live then, or null when the deployment had armed nothing (it is latched even so).
   * `because` is kept with the latch, shortened at need, for who reads it back: a crash may come before the record.
   */
  revert(
    service: string,
    deployment: string,
    signal: AbortSignal,
    because?: RollbackCause,
  ): Promise<TrafficSplit | null>;
  /** Ends the armed state of a deployment that is done, so that controller loss no longer reverts it. */
  disarm(service: string, deployment: string, context: ActContext): Promise<void>;
  /** Forgets the service: answers `no-release` from then on. */
  remove(service: string, context: ActContext): Promise<void>;
  /**
   * What becomes of the service's requests from now on: the app, a page of Teal's, or waiting. Kept by the data plane
   * through its own restarts; splits and deployments go on beside it. The same again is harmless. Returns when every part
   * of the data plane has acknowledged it. Absent: this driver cannot do it.
   * @throws `fenced` when a newer order is live, or a split of a higher fence
   */
  maintain?(change: MaintenanceChange, context: ActContext): Promise<void>;
  /** What its data plane has counted of connections. Absent: this driver's data plane does not tell. */
  connections?(): ConnectionCounts;
  /** Counters at the data plane's grain (100 ms for the embedded one); ends when the signal aborts. */
  watch(listener: (sample: TrafficSample) => void, signal: AbortSignal): void;
  /** Receipts as they become final, and reverts that the data plane made by itself. */
  notices(listener: (notice: TrafficNotice) => void, signal: AbortSignal): void;
}

export type TrafficNotice =
  | { readonly kind: "receipt"; readonly receipt: Receipt }
  | {
      readonly kind: "reverted";
      readonly service: string;
      readonly deployment: string;
      readonly split: TrafficSplit;
      readonly cause: Latch["cause"];
    }
  /** The data plane was started anew or reached again: what it knows should be read back. */
  | { readonly kind: "connected" };
