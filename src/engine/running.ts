import type { Deployment } from "../model/deployment.ts";
import type { NewEvent } from "../model/event.ts";
import type { Release } from "../model/release.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { Transition } from "../store/store.ts";
import type { Holding } from "./holding.ts";
import type { EngineParts } from "./parts.ts";
import type { TrafficDesk } from "./traffic-desk.ts";

/** A deployment under way, as the parts see it that drive one side of it: its steps, its end, its way back. */
export interface Running {
  readonly parts: EngineParts;
  readonly desk: TrafficDesk;
  /** Held in memory, so that taking it back needs no store. */
  readonly release: Release;
  /** As last written. */
  readonly deployment: Deployment;
  /** Rises when the deployment is taken back. */
  fence: number;
  /** A person has ended a frozen deployment where it stands. */
  givenUp: boolean;
  /** When this server went on with what another had begun, and could watch it again; null: it began it itself. */
  readonly resumedAt: EpochMilliseconds | null;
  readonly holding: Holding;
  /** Aborts when its bake has gone on long enough. */
  readonly enough: AbortSignal;
  /** One transaction of this deployment: its own change, and what led to it. */
  write(change: Partial<Transition>, events?: readonly NewEvent[]): Promise<void>;
  /** Mirrors in memory what a transition has written. */
  apply(change: Omit<NonNullable<Transition["deployment"]>, "id">): void;
  event(type: NewEvent["type"], data: NewEvent["data"], step?: string): NewEvent;
}
