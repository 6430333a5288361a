import type { Deployment } from "../model/deployment.ts";
import type { TealError } from "../model/error.ts";
import type { NewEvent } from "../model/event.ts";
import type { StepInput } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { ActContext } from "../ports/context.ts";
import type { Transition } from "../store/store.ts";
import type { Elapsed } from "./elapsed.ts";
import type { Holding } from "./holding.ts";
import type { EngineParts } from "./parts.ts";
import type { TrafficDesk } from "./traffic-desk.ts";

/** What a transition may carry beside the step's own change. */
export type Effects = Partial<
  Pick<Transition, "split" | "roles" | "environments" | "release" | "retirement" | "receipt">
> & {
  readonly touchedTraffic?: true;
  readonly events?: readonly NewEvent[];
};

/** One step being run, or undone: its data and the few things that it may do. */
export interface StepRun {
  readonly parts: EngineParts;
  readonly desk: TrafficDesk;
  readonly deployment: Deployment;
  readonly id: string;
  readonly input: StepInput;
  readonly context: ActContext;
  /** Aborts when a watch has gone on long enough because a newer deployment supersedes this one's bake. */
  readonly enough: AbortSignal;
  /** See {@link Running.resumedAt}. */
  readonly resumedAt: EpochMilliseconds | null;
  readonly holding: Holding;
  /** Of what this step waits for. */
  readonly elapsed: Elapsed;
  /** What an earlier attempt saved; empty on the first. */
  readonly progress: Readonly<Record<string, unknown>>;
  /** The release that this deployment brings, or retires. */
  readonly release: Release;
  /** One transaction: progress of this step (merged with what is there), and effects. */
  record(progress: Readonly<Record<string, unknown>>, effects?: Effects): Promise<void>;
  event(type: NewEvent["type"], data: NewEvent["data"]): NewEvent;
  emit(type: NewEvent["type"], data: NewEvent["data"]): Promise<void>;
}

export interface StepOutcome {
  readonly result: Readonly<Record<string, unknown>>;
  /** Made durable in the transaction that completes the step. */
  readonly effects?: Effects;
}

/** Observe, ensure, sync, return. Both may be called again after a crash, with the same input. */
export interface StepHandler {
  run(run: StepRun): Promise<StepOutcome>;
  /** What it means that the deadline has passed, where that can be said better; absent: `deadline-passed`. */
  readonly late?: (run: StepRun) => Promise<TealError>;
  /** Takes back what was begun; called newest first, until it succeeds. Null: nothing to take back. */
  readonly undo: ((run: StepRun) => Promise<Effects>) | null;
}
