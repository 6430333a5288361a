import type { Deployment, DeploymentState, RollbackCause } from "../model/deployment.ts";
import { TealError, toTealError } from "../model/error.ts";
import type { NewEvent } from "../model/event.ts";
import type { StepInput } from "../model/plan.ts";
import type { Release } from "../model/release.ts";
import type { EpochMilliseconds, Milliseconds } from "../model/time.ts";
import type { Receipt } from "../model/traffic.ts";
import type { TrafficObservation } from "../ports/traffic.ts";
import type { StepRow, Transition } from "../store/store.ts";
import { aboutOf } from "./about.ts";
import { Abort } from "./abort.ts";
import { causeOf } from "./cause.ts";
import { completionEffects, disarm, prune } from "./completion.ts";
import { Holding } from "./holding.ts";
import { throwIfLatched } from "./latched.ts";
import type { EngineParts } from "./parts.ts";
import { patiently } from "./patience.ts";
import { untilReadyAgain } from "./ready-again.ts";
import type { Running } from "./running.ts";
import { runStep } from "./run-step.ts";
import type { Effects, StepOutcome } from "./step.ts";
import { driftError, intentOf, overtakenBy } from "./steps/drift.ts";
import { TakeBack } from "./take-back.ts";
import type { TrafficDesk } from "./traffic-desk.ts";
import { isDoneWithin } from "./within.ts";

/** The data plane goes first, but the record of what failed is not kept waiting for it longer than this. */
const REVERT_FIRST_MS: Milliseconds = 1_000;

/** What is run, and under which fence. */
export interface RunSubject {
  readonly deployment: Deployment;
  readonly release: Release;
  readonly fence: number;
}

/**
 * Drives one deployment from the row it stands at to its end. There is one Run per unfinished deployment and process; it
 * writes under the fence that it was given, so that a newer controller's claim ends it.
 */
export class Run implements Running {
  readonly parts: EngineParts;
  readonly desk: TrafficDesk;
  /** Held in memory, so that taking it back needs no store. */
  readonly release: Release;
  /** As last written. */
  deployment: Deployment;
  fence: number;
  /** A person has ended a frozen deployment where it stands. */
  givenUp = false;
  resumedAt: EpochMilliseconds | null = null;
  readonly holding = new Holding();
  /** Of the last split applied in this process; null before. */
  receipt: Receipt | null = null;
  /** Resolves when the deployment has ended, or the engine has stopped. Never rejects. */
  readonly done: Promise<void>;
  readonly #stop: AbortSignal;
  readonly #enough = new AbortController();
  readonly #done = Promise.withResolvers<void>();
  readonly #takeBack: TakeBack;
  readonly #abort: Abort;
  /** While it is disarmed and recorded as done. */
  #closing: Promise<void> | null = null;

  constructor(parts: EngineParts, desk: TrafficDesk, what: RunSubject, stop: AbortSignal) {
    const { deployment, release, fence } = what;
    this.parts = parts;
    this.desk = desk;
    this.deployment = deployment;
    this.release = release;
    this.fence = fence;
    this.#stop = stop;
    this.done = this.#done.promise;
    this.#takeBack = new TakeBack(this, stop);
    this.#abort = new Abort(this, this.#takeBack);
  }

  /** Ends the step that runs, with this reason. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#abort.signal, this.#stop]);
  }

  get enough(): AbortSignal {
    return this.#enough.signal;
  }

  /** Ends the bake early, as passed: what comes next has been decided. */
  endBake(): void {
    this.#enough.abort(new TealError("aborted", "superseded by a newer deployment"));
  }

  get aborting(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Drives to the end. Never rejects: what cannot be written ends the run, and recovery takes it up. */
  async drive(): Promise<void> {
    try {
      await this.#drive();
    } catch (thrown) {
      if (!this.#stop.aborted) this.parts.report(toTealError(thrown), aboutOf(this.deployment));
    } finally {
      this.holding.set(null);
      this.#done.resolve();
    }
  }

  /** @throws `deployment-ended`, `data-plane-down`: see {@link Abort.ask} */
  abort(cause: RollbackCause): Promise<void> {
    return this.#abort.ask(cause, { closing: this.#closing, done: this.done });
  }

  /** One transaction of this deployment. Told in the order in which it happened: `events`, the new state, `next`. */
  async write(
    change: Partial<Transition>,
    events: readonly NewEvent[] = [],
    next: readonly NewEvent[] = [],
  ): Promise<void> {
    const { service, id } = this.deployment;
    const { deployment, ...rest } = change;
    const about = deployment ?? { id };
    await this.parts.journal.transition({
      ...rest,
      service,
      fence: this.fence,
      deployment: about,
      events: [...events, ...this.#told(about), ...next],
    });
    this.apply(about);
  }

  /** Mirrors in memory what a transition has written. */
  apply(change: Omit<NonNullable<Transition["deployment"]>, "id">): void {
    const { state, touchedTraffic, cause } = change;
    this.deployment = {
      ...this.deployment,
      ...(state === undefined ? {} : { state }),
      ...(touchedTraffic === undefined ? {} : { touchedTraffic }),
      ...(cause === undefined || this.deployment.cause !== null ? {} : { cause }),
    };
  }

  event(type: NewEvent["type"], data: NewEvent["data"], step?: string): NewEvent {
    const { service, id } = this.deployment;
    return this.parts.journal.event(type, data, { service, deployment: id, ...(step === undefined ? {} : { step }) });
  }

  async #drive(): Promise<void> {
    if (this.deployment.state === "rolling-back" || this.deployment.state === "frozen") {
      await this.#takeBack.run(
        this.deployment.cause ?? { kind: "failure", code: "internal", message: "the cause was not recorded" },
      );
      return;
    }
    try {
      await patiently(this, this.signal, () => this.#throwIfStale());
      const steps = await this.parts.store.steps(this.deployment.id);
      const left = steps.filter(({ state }) => state === "pending" || state === "running");
      if (this.deployment.state !== "planned") {
        await untilReadyAgain(this, left, this.signal);
        this.resumedAt = this.parts.clock.now();
      }
      await this.#forward(left);
      return;
    } catch (thrown) {
      if (this.#stop.aborted) return;
      const problem = toTealError(thrown);
      if (problem.code === "fenced") throw problem;
      await this.#takeBack.run(this.#takeBack.cause ?? causeOf(problem));
    }
  }

  /** The plan was made from a record that may have changed before it was accepted; a resumed run may have been reverted meanwhile. */
  async #throwIfStale(): Promise<void> {
    const { state, goal, from, service, id } = this.deployment;
    if (goal === "retire") return;
    if (state !== "planned") {
      const seen = await this.desk.driver(this.release).observe(service, this.signal);
      throwIfLatched(id, seen);
      await this.#throwIfOvertaken(seen);
      return;
    }
    const active = (await this.parts.store.service(service))?.active ?? null;
    if (active !== from) {
      throw new TealError("drift", `${service} was switched to ${active ?? "nothing"} while this was being planned`, {
        remedy: "Run the command again: it is planned anew.",
      });
    }
  }

  /** The record may be an older copy, and what serves the work of deployments that it does not know. A shift holds by itself. */
  async #throwIfOvertaken(seen: TrafficObservation): Promise<void> {
    const { store } = this.parts;
    const row = await store.service(this.deployment.service);
    const steps = await store.steps(this.deployment.id);
    const next = steps.find(({ state }) => state === "running" || state === "pending");
    if (row === null || next?.uses.startsWith("shift@") === true) return;
    const live = overtakenBy(
      seen,
      row,
      steps.flatMap((step) => intentOf(step, step.input as unknown as StepInput)),
    );
    if (live !== null) throw driftError(live, row);
  }

  /** Step after step; the end of one and the beginning of the next are one transaction. */
  async #forward(rows: readonly StepRow[]): Promise<void> {
    const [first] = rows;
    if (first === undefined) {
      await this.#complete(null, {});
      return;
    }
    await this.#begin(first, null, {});
    for (const [index, row] of rows.entries()) {
      const startedAt = this.parts.clock.monotonic();
      const outcome = await this.#run(row);
      this.receipt = outcome.effects?.receipt ?? this.receipt;
      const ended = { row, outcome, tookMs: Math.round(this.parts.clock.monotonic() - startedAt) };
      const next = rows[index + 1];
      await (next === undefined
        ? this.#complete(ended, outcome.effects ?? {})
        : this.#begin(next, ended, outcome.effects ?? {}));
    }
  }

  async #run(row: StepRow): Promise<StepOutcome> {
    try {
      return await runStep(this, row, this.signal).finally(() => {
        this.holding.set(null);
      });
    } catch (thrown) {
      if (!this.#stop.aborted && !this.aborting) {
        const problem = toTealError(thrown);
        const { code, message, remedy } = problem;
        // The traffic goes back before anything is written: the disk may be slow.
        if (code !== "fenced")
          await isDoneWithin(this.#takeBack.revert(causeOf(problem)), REVERT_FIRST_MS, this.parts.clock);
        await this.write(
          { steps: [{ id: row.id, state: "failed", endedAt: this.parts.clock.now(), result: { code, message } }] },
          [this.event("step-failed", { code, message, remedy }, row.id)],
        ).catch((failed: unknown) => {
          // Why the step failed is why the deployment is taken back, not that it could not be written down.
          const problem = toTealError(failed);
          if (problem.code === "fenced") throw problem;
          const step = { id: row.id, attempt: row.attempt + 1 };
          this.parts.report(problem, { ...aboutOf(this.deployment, step), doing: "recording a failure" });
        });
      }
      throw thrown;
    }
  }

  #begin(next: StepRow, ended: Ended | null, effects: Effects): Promise<void> {
    this.signal.throwIfAborted();
    const state = stateAt(next.uses, this.deployment.state);
    const { events, touchedTraffic, ...rest } = effects;
    const attempt = next.attempt + 1;
    const now = this.parts.clock.now();
    const own = this.#own(state, touchedTraffic);
    const change = {
      ...rest,
      deployment: own,
      steps: [
        ...endedChange(ended, now),
        { id: next.id, state: "running" as const, attempt, startedAt: next.startedAt ?? now },
      ],
    };
    const started = { title: next.title, uses: next.uses, attempt, worstMs: next.worstMs };
    const told = [...(events ?? []), ...this.#endedEvents(ended)];
    return patiently(this, this.signal, async (again) => {
      if (again && (await this.#hasBegun(next.id, attempt))) this.apply(own);
      else await this.write(change, told, [this.event("step-started", started, next.id)]);
    });
  }

  /** An earlier try may have been written though its answer was lost. */
  async #hasBegun(step: string, attempt: number): Promise<boolean> {
    const rows = await this.parts.store.steps(this.deployment.id);
    return rows.some((row) => row.id === step && row.state === "running" && row.attempt === attempt);
  }

  async #complete(ended: Ended | null, effects: Effects): Promise<void> {
    this.signal.throwIfAborted();
    const { events, touchedTraffic, ...rest } = effects;
    const {
      events: farewell,
      touchedTraffic: _none,
      ...left
    } = await completionEffects(this, rest.split?.weights ?? null);
    await prune(this);
    if (this.#takeBack.cause !== null) throw new TealError("aborted", "the deployment is being taken back");
    const change = {
      ...rest,
      ...left,
      deployment: this.#own("completed", touchedTraffic),
      steps: endedChange(ended, this.parts.clock.now()),
    };
    // From here on an abort waits for the outcome: it must not find the record done and the traffic back.
    this.#closing = this.#close(change, [...(events ?? []), ...this.#endedEvents(ended), ...(farewell ?? [])]);
    try {
      await this.#closing;
    } finally {
      this.#closing = null;
    }
  }

  async #close(change: Partial<Transition>, events: readonly NewEvent[]): Promise<void> {
    await disarm(this);
    const { id } = this.deployment;
    // Who aborts does not wait for a disk: what cannot be written then is taken back.
    await patiently(this, AbortSignal.any([this.signal, this.#abort.asked]), async (again) => {
      const done = again && (await this.parts.store.deployment(id))?.state === "completed";
      if (done) this.apply({ state: "completed" });
      else await this.write(change, events);
    });
  }

  #own(state: DeploymentState, touchedTraffic: true | undefined): NonNullable<Transition["deployment"]> {
    return {
      id: this.deployment.id,
      ...(state === this.deployment.state ? {} : { state }),
      ...(touchedTraffic === undefined ? {} : { touchedTraffic }),
    };
  }

  #endedEvents(ended: Ended | null): NewEvent[] {
    return ended === null
      ? []
      : [this.event("step-completed", { ...ended.outcome.result, tookMs: ended.tookMs }, ended.row.id)];
  }

  #told({ state, cause }: Omit<NonNullable<Transition["deployment"]>, "id">): NewEvent[] {
    if (state === undefined || state === this.deployment.state) return [];
    return [
      this.event("deployment-state", { from: this.deployment.state, to: state, cause: cause ?? this.deployment.cause }),
    ];
  }
}

/** The state that a deployment is in while it is at a step. What follows a bake, the rest of a holdback, is a part of it. */
function stateAt(uses: string, before: DeploymentState): DeploymentState {
  if (uses.startsWith("bake@") || before === "baking") return "baking";
  return uses.startsWith("approval@") ? "waiting" : "running";
}

interface Ended {
  readonly row: StepRow;
  readonly outcome: StepOutcome;
  readonly tookMs: number;
}

function endedChange(ended: Ended | null, now: number): NonNullable<Transition["steps"]> {
  return ended === null ? [] : [{ id: ended.row.id, state: "done", endedAt: now, result: ended.outcome.result }];
}
