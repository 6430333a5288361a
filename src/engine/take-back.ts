import type { RollbackCause } from "../model/deployment.ts";
import { toTealError } from "../model/error.ts";
import type { NewEvent } from "../model/event.ts";
import { type TrafficSplit, wholeOf } from "../model/traffic.ts";
import type { TrafficObservation } from "../ports/traffic.ts";
import type { Transition } from "../store/store.ts";
import { aboutOf } from "./about.ts";
import { endOf } from "./cause.ts";
import { UNRECORDED_ABORT } from "./latched.ts";
import { thaw } from "./frozen.ts";
import type { Running } from "./running.ts";
import { healthyIn } from "./traffic-desk.ts";
import { undoSteps } from "./undo.ts";
import { unrelease } from "./unrelease.ts";

/** One call to the data plane; it is on this machine or a network hop away, and is repeated until it has answered. */
const CALL_MS = 5_000;

/**
 * Takes a deployment back, in the order of DESIGN section 5: the data plane first, store or no store; then the record;
 * then, the step having ended or its grace being over, a higher fence; then the clean-up, newest first.
 */
export class TakeBack {
  cause: RollbackCause | null = null;
  readonly #run: Running;
  readonly #stop: AbortSignal;
  #reverted: Promise<void> | null = null;
  #journaled: Promise<void> | null = null;
  #tookMs = 0;

  constructor(run: Running, stop: AbortSignal) {
    this.#run = run;
    this.#stop = stop;
  }

  /** Flips the split back and latches. The first cause wins. */
  revert(cause: RollbackCause): Promise<void> {
    this.cause ??= cause;
    this.#reverted ??= this.#untilReverted();
    return this.#reverted;
  }

  /** The record says that the deployment is being taken back. */
  journaled(cause: RollbackCause): Promise<void> {
    this.#journaled ??= this.#journal(cause).catch(async (thrown: unknown) => {
      // It had ended just before: its latch holds the old fence back, so the service needs a new one.
      this.#journaled = null;
      await this.#untilDone(() => this.#raiseFence());
      throw thrown;
    });
    return this.#journaled;
  }

  async run(cause: RollbackCause): Promise<void> {
    await this.revert(cause);
    await this.#untilDone(() => this.journaled(this.cause ?? cause));
    await this.#untilDone(() => this.#raiseFence());
    if ((await this.#isToThaw()) && !(await thaw(this.#run, this.#stop))) {
      await this.#untilDone(() => this.#giveUp());
      await this.#untilDone(() => this.#end("failed"));
      return;
    }
    if (this.#isItsOwn) await this.#untilDone(() => unrelease(this.#run, this.#context("remove")));
    await this.#untilDone(() => undoSteps(this.#run, this.#stop));
    await this.#untilDone(() => this.#tellDataPlane());
    await this.#untilDone(() => this.#end(endOf(this.#run.deployment, this.cause ?? cause)));
  }

  /** A way back has no deadline: what fails is tried again until it is done, the engine stops, or a newer one has the service. */
  async #untilDone<T>(act: () => Promise<T>): Promise<T> {
    const { parts, deployment } = this.#run;
    for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 2_000)) {
      try {
        return await act();
      } catch (thrown) {
        this.#stop.throwIfAborted();
        const problem = toTealError(thrown);
        if (problem.code === "fenced" || problem.code === "deployment-ended") throw problem;
        parts.report(problem, { ...aboutOf(deployment), doing: "taking it back" });
        await parts.clock.sleep(waitMs, this.#stop);
      }
    }
  }

  /** What the data plane does now: it counts more than any answer from before a crash. */
  async #live(): Promise<TrafficSplit | null> {
    return (await this.#seen()).split;
  }

  #seen(): Promise<TrafficObservation> {
    const { desk, release, deployment } = this.#run;
    return this.#untilDone(() => desk.driver(release).observe(deployment.service, this.#limit()));
  }

  get #isUnrecorded(): boolean {
    return this.cause === UNRECORDED_ABORT;
  }

  /** Who told the data plane may have left his word with it. */
  #knownCause(cause: RollbackCause, { latched }: TrafficObservation): RollbackCause {
    if (this.#isUnrecorded)
      this.cause = latched.find(({ deployment }) => deployment === this.#run.deployment.id)?.because ?? this.cause;
    return this.cause ?? cause;
  }

  /** One that a former server has frozen may have been given back since: that is told, too, before it can end. */
  async #isToThaw(): Promise<boolean> {
    return this.#run.deployment.state === "frozen" || this.#isStuck(await this.#live());
  }

  /** Traffic still goes where it must not: the data plane found that going back would be worse, or had nothing armed. */
  #isStuck(live: TrafficSplit | null): boolean {
    const { from, to } = this.#run.deployment;
    return this.#isItsOwn && from !== null && from !== to && (live?.weights[to] ?? 0) > 0;
  }

  /** What it never touched it does not take back: that split was set by hand. Nor one that has overtaken it. */
  get #isItsOwn(): boolean {
    const { goal, touchedTraffic } = this.#run.deployment;
    return touchedTraffic && goal !== "retire" && !this.#isOvertaken;
  }

  /** Somebody else's split serves, and nobody has said what is to become of it. */
  get #isOvertaken(): boolean {
    const cause = this.#run.deployment.cause ?? this.cause;
    return cause !== null && cause.kind !== "abort" && cause.code === "drift";
  }

  /** The traffic stays where it is, also when the control plane is silent later. */
  #giveUp(): Promise<void> {
    const { desk, release, deployment } = this.#run;
    return desk.disarm(release, deployment.id, this.#context("disarm"));
  }

  async #tellDataPlane(): Promise<void> {
    const { desk, deployment, release } = this.#run;
    await desk.refresh(deployment.service, release, this.#context("refresh"));
  }

  async #untilReverted(): Promise<void> {
    const { desk, release, deployment, parts } = this.#run;
    const startedAt = parts.clock.monotonic();
    const because = this.#isUnrecorded ? undefined : (this.cause ?? undefined);
    await this.#untilDone(() => desk.driver(release).revert(deployment.service, deployment.id, this.#limit(), because));
    this.#tookMs = Math.round(parts.clock.monotonic() - startedAt);
  }

  async #journal(asked: RollbackCause): Promise<void> {
    const run = this.#run;
    const { deployment } = run;
    if (deployment.state === "rolling-back" || deployment.state === "frozen") return;
    await this.revert(asked);
    const seen = await this.#seen();
    const cause = this.#knownCause(asked, seen);
    const split = await this.#untilRecordable(seen.split);
    const change: Partial<Transition> = {
      ...(split === null ? {} : { split: { generation: split.generation, weights: split.weights } }),
      ...this.#roles(split),
    };
    const { service, id } = deployment;
    const own = { id, state: "rolling-back", cause } as const;
    const told = [
      ...(split === null
        ? []
        : [
            run.event("split-reverted", {
              weights: split.weights,
              generation: split.generation,
              cause: cause.kind,
              tookMs: this.#tookMs,
            }),
          ]),
      ...this.#alarm(seen),
      run.event("deployment-state", { from: deployment.state, to: own.state, cause }),
    ];
    await run.parts.journal.transitionUntilWritten(
      { ...change, service, fence: run.fence, deployment: own, events: told },
      this.#stop,
    );
    run.apply(own);
  }

  /** Neither side was healthy, so that going back was no worse: what is wrong may not be the release. */
  #alarm(seen: TrafficObservation): NewEvent[] {
    const { from, to } = this.#run.deployment;
    if (!this.#isItsOwn || from === null || from === to) return [];
    if (this.#isStuck(seen.split) || healthyIn(seen, from) > 0) return [];
    return [
      this.#run.event("warning", {
        code: "unhealthy",
        message: `the traffic is back on ${from}, which has no healthy instance; ${to} had none either`,
        remedy: `Mend ${from}: \`teal logs\` says what its instances print. They get requests as soon as they are healthy.`,
      }),
    ];
  }

  /** A plan that was made from an older record has no say in the roles before it has touched the traffic. */
  #roles(split: TrafficSplit | null): Pick<Transition, "roles"> {
    const { from, to } = this.#run.deployment;
    if (this.#isItsOwn) return from === null || this.#isStuck(split) ? {} : { roles: { active: from, standby: to } };
    const whole = split === null || !this.#isOvertaken ? null : wholeOf(split.weights);
    return whole === null ? {} : { roles: { active: whole, standby: whole === to ? from : to } };
  }

  /** A data plane that has lost its newest snapshot to a power cut lives below the record's generation, which only grows. */
  async #untilRecordable(live: TrafficSplit | null): Promise<TrafficSplit | null> {
    if (live === null || Object.keys(live.weights).length === 0) return null;
    const row = await this.#untilDone(() => this.#run.parts.store.service(this.#run.deployment.service));
    return { ...live, generation: Math.max(live.generation, row?.generation ?? 0) };
  }

  /** A step that did not listen to its end still holds the old fence: whatever it does from now on is refused. */
  async #raiseFence(): Promise<void> {
    const run = this.#run;
    const { service } = run.deployment;
    const seen = await run.desk.driver(run.release).observe(service, this.#limit());
    const latched = Math.max(0, ...seen.latched.map(({ fence }) => fence));
    const row = await run.parts.store.claim(service, Math.max(seen.split?.fence ?? 0, latched));
    run.fence = row.fence;
    run.desk.evict(service);
  }

  async #end(state: "aborted" | "rolled-back" | "failed"): Promise<void> {
    const run = this.#run;
    const steps = await run.parts.store.steps(run.deployment.id);
    const now = run.parts.clock.now();
    await run.write({
      deployment: { id: run.deployment.id, state },
      steps: steps
        .filter((step) => step.state === "pending")
        .map(({ id }) => ({ id, state: "skipped" as const, endedAt: now })),
    });
  }

  #limit(): AbortSignal {
    return AbortSignal.any([this.#stop, AbortSignal.timeout(CALL_MS)]);
  }

  #context(what: string) {
    const { parts, deployment, fence } = this.#run;
    const ms = 30_000;
    return {
      signal: AbortSignal.any([this.#stop, AbortSignal.timeout(ms)]),
      fence,
      idempotencyKey: `${deployment.id}/${what}`,
      attempt: 1,
      deadline: parts.clock.monotonic() + ms,
    };
  }
}
