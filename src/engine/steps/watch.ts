import { fastPath, FATAL_CONNECT_FAILURES } from "../../analysis/fast-path.ts";
import { endingOf } from "../../analysis/advance.ts";
import { isWanting } from "../../analysis/guardrails.ts";
import { isWithin, shownGoodBy } from "../../analysis/sources.ts";
import type { RuleVerdict } from "../../analysis/verdict.ts";
import { TealError, toTealError } from "../../model/error.ts";
import { type Advance, MAX_WAIT_MS } from "../../model/guardrail.ts";
import type { Milliseconds } from "../../model/time.ts";
import { revertedBy, throwIfLatched } from "../latched.ts";
import { aboutOf } from "../about.ts";
import { driverOf } from "../parts.ts";
import type { Stretch } from "../steady-traffic.ts";
import type { StepRun } from "../step.ts";
import { healthyIn } from "../traffic-desk.ts";
import { isDoneWithin } from "../within.ts";
import { Exits } from "./exits.ts";
import { Evidence } from "./evidence.ts";
import { actionOf, tell, tellGrounds } from "./telling.ts";

/** Without news from the data plane it is looked at this often. */
const LOOK_EVERY_MS: Milliseconds = 500;
/** What a crash may cost of the evidence; most of it is in the data plane's counters anyway. */
const KEEP_EVERY_MS: Milliseconds = 10_000;
/** A verdict is acted on after this at the latest, however slow the disk is that it is told to. */
const TELL_MS: Milliseconds = 100;

export interface WatchWish {
  /** The new environment. */
  readonly environment: string;
  /** The environment to compare with; null: absolute limits alone. */
  readonly baseline: string | null;
  readonly watchMs: Milliseconds;
  /** Traffic before the deployment's first split; null: not known. */
  readonly before: Stretch | null;
  readonly advance: Advance;
  /** How long beyond its time evidence is waited for. */
  readonly maxWaitMs?: Milliseconds;
}

/**
 * Watches the new environment until the time is over, or the evidence is there, deciding after every sample. A hold keeps
 * it from ending; the step's deadline bounds that. Ends early when the run has watched enough.
 * @throws `guardrail-breached`, `evidence-lacking`, `crash-loop`, `controller-loss`, `latched`
 */
export async function watch(run: StepRun, wish: WatchWish): Promise<void> {
  const over = new AbortController();
  try {
    const evidence = await Evidence.of(run, wish);
    await new Watch(run, wish, evidence, AbortSignal.any([run.context.signal, over.signal])).toTheEnd();
  } finally {
    over.abort(new TealError("aborted", "the watch is over"));
  }
}

interface Verdicts {
  readonly users: readonly RuleVerdict[];
  readonly probes: readonly RuleVerdict[];
  readonly metrics: readonly RuleVerdict[];
}

class Watch {
  readonly #run: StepRun;
  readonly #wish: WatchWish;
  readonly #signal: AbortSignal;
  readonly #exits: Exits;
  readonly #told = new Set<string>();
  readonly #evidence: Evidence;
  #keptAt: Milliseconds | null = null;
  #trouble: TealError | null = null;
  /** A person has let it go on, in this step or an earlier one: the evidence is that of the whole deployment. */
  #waived = false;
  #mustLook = false;
  #isKeeping = false;
  #wake = Promise.withResolvers<void>();
  #tick: { readonly at: Milliseconds; readonly over: Promise<void> } | null = null;

  constructor(run: StepRun, wish: WatchWish, evidence: Evidence, signal: AbortSignal) {
    this.#run = run;
    this.#wish = wish;
    this.#signal = signal;
    this.#exits = new Exits(wish.environment);
    this.#evidence = evidence;
  }

  async toTheEnd(): Promise<void> {
    const { clock } = this.#run.parts;
    await this.#listen();
    const since = this.#run.progress["watchedSince"];
    const spent = this.#run.elapsed.since(typeof since === "number" ? since : null);
    const end = clock.monotonic() + Math.max(0, this.#wish.watchMs - spent);
    while (!this.#run.enough.aborted) {
      if (this.#trouble !== null) throw this.#trouble;
      const users = this.#evidence.users();
      const probes = sparing(users, this.#evidence.probes());
      const metrics = this.#evidence.metrics();
      const verdicts = [...users, ...probes, ...metrics, ...this.#evidence.activeUsers()];
      await this.#act(verdicts);
      this.#keep();
      await this.#lookIfNeeded();
      const holding = await this.#holds(verdicts);
      const left = end - clock.monotonic();
      if (!holding && this.#isOver(left, { users, probes, metrics })) {
        await tellGrounds(this.#run, this.#wish, this.#evidence);
        break;
      }
      await this.#wait(left > 0 ? Math.min(left, LOOK_EVERY_MS) : LOOK_EVERY_MS);
    }
    // The next step goes on from here.
    if (this.#evidence.hasBegun)
      await this.#run.record(this.#evidence.stored(), { events: this.#evidence.spoken().events });
  }

  /** @throws `evidence-lacking` when it was waited for long enough */
  #isOver(left: Milliseconds, { users, probes, metrics }: Verdicts): boolean {
    const { advance, maxWaitMs = MAX_WAIT_MS, environment } = this.#wish;
    const isShownGood = shownGoodBy(users, probes) !== null && isWithin(metrics);
    const ending = endingOf({ advance, leftMs: left, maxWaitMs, isShownGood });
    if (ending !== "evidence-lacking") return ending === "over";
    const lacking = [...users, ...probes, ...metrics].find(isWanting);
    const message = lacking?.message ?? `not enough evidence: no request went to ${environment}`;
    throw new TealError("evidence-lacking", message);
  }

  /** Whether a guardrail keeps it from ending; not after a person has let the deployment go on in spite of that. */
  async #holds(verdicts: readonly RuleVerdict[]): Promise<boolean> {
    const { holding } = this.#run;
    const verdict = this.#waived ? undefined : verdicts.find(({ outcome }) => outcome === "hold");
    if (verdict === undefined) {
      holding.set(null);
      return false;
    }
    const { message } = verdict;
    holding.set({
      kind: "guardrail",
      message,
      remedy: "`teal resume` goes on all the same, `teal abort` takes it back.",
    });
    const { order } = holding;
    if (order === null) return true;
    const { by, reason, drift } = order;
    await this.#run.record(
      { resumed: true },
      { events: [this.#run.event("resumed", { kind: "guardrail", drift, by, reason })] },
    );
    this.#waived = true;
    holding.obeyed();
    return false;
  }

  async #listen(): Promise<void> {
    const { parts, deployment, release, context } = this.#run;
    const { service, id } = deployment;
    const { hub } = parts;
    this.#waived = (await parts.store.steps(id)).some(({ progress }) => progress["resumed"] === true);
    hub.subscribeTo(
      "sample",
      service,
      (sample) => {
        this.#evidence.add(sample);
        this.#wake.resolve();
      },
      this.#signal,
    );
    hub.subscribe(
      "notice",
      (notice) => {
        if (notice.kind === "reverted" && notice.deployment === id) {
          this.#troubled(revertedBy(notice.cause, id));
        }
        if (notice.kind === "connected") this.#mustLook = true;
      },
      this.#signal,
    );
    hub.subscribeTo(
      "instance",
      service,
      (message) => {
        const trouble = this.#exits.seen(message.environment, message.instance);
        if (trouble !== null) this.#troubled(trouble);
      },
      this.#signal,
    );
    this.#run.enough.addEventListener(
      "abort",
      () => {
        this.#wake.resolve();
      },
      { once: true, signal: this.#signal },
    );
    await this.#evidence.probe(this.#signal, () => {
      this.#wake.resolve();
    });
    await this.#evidence.readMetrics(this.#signal, () => {
      this.#wake.resolve();
    });
    const driver = driverOf(parts.environments, release.spec.environment.driver);
    const seen = await driver.observe(service, this.#wish.environment, context.signal);
    this.#exits.start(seen);
    // What was so before anybody listened, or while no server was there, is announced no more.
    for (const instance of seen.instances) {
      const trouble = this.#exits.seen(this.#wish.environment, instance);
      if (trouble !== null) this.#troubled(trouble);
    }
  }

  /** Kept at its beginning, so that a verdict after a crash rests on all that was seen, and now and then. */
  #keep(): void {
    const now = this.#run.parts.clock.monotonic();
    if (!this.#evidence.hasBegun || this.#isKeeping) return;
    if (this.#keptAt !== null && now - this.#keptAt < KEEP_EVERY_MS) return;
    this.#isKeeping = true;
    const [evidence, spoken] = [this.#evidence.stored(), this.#evidence.spoken()];
    void this.#written(() => this.#run.record(evidence, { events: spoken.events })).then(
      (isWritten) => {
        this.#isKeeping = false;
        if (!isWritten) return;
        this.#keptAt = now;
        this.#evidence.hasSpoken(spoken);
      },
      (thrown: unknown) => {
        this.#troubled(toTealError(thrown));
      },
    );
  }

  async #act(verdicts: readonly RuleVerdict[]): Promise<void> {
    for (const verdict of verdicts) {
      const key = `${verdict.source ?? "users"} ${verdict.rule} ${verdict.outcome}`;
      if (actionOf(verdict) === "none" || this.#told.has(key)) continue;
      this.#told.add(key);
      // What it rests on is kept now: a server that is started after it goes by it from the first moment.
      this.#keptAt = null;
      const telling = this.#written(() => tell(this.#run, verdict)).then((isWritten) => {
        if (!isWritten) this.#told.delete(key);
      });
      await isDoneWithin(telling, TELL_MS, this.#run.parts.clock);
    }
    const breach = verdicts.find(({ outcome }) => outcome === "rollBack");
    if (breach !== undefined) throw new TealError("guardrail-breached", breach.message);
  }

  /** Judging goes on without a store: what cannot be written down is tried again at the next look. */
  async #written(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (thrown) {
      const problem = toTealError(thrown);
      if (problem.code !== "store-failed") throw problem;
      const { parts, deployment, id, context } = this.#run;
      const about = aboutOf(deployment, { id, attempt: context.attempt });
      parts.report(problem, { ...about, doing: "writing down what the watch has seen" });
      return false;
    }
  }

  /** Looks at the data plane when it may have forgotten or reverted, or when connects are refused. */
  async #lookIfNeeded(): Promise<void> {
    const { environment } = this.#wish;
    const { connectFailures } = this.#evidence.candidate;
    if (!this.#mustLook && connectFailures < FATAL_CONNECT_FAILURES) return;
    this.#mustLook = false;
    const { desk, release, deployment, context } = this.#run;
    const seen = await desk.driver(release).observe(deployment.service, context.signal);
    throwIfLatched(deployment.id, seen);
    const verdict = fastPath(
      { connectFailures, healthyInstances: healthyIn(seen, environment), crashLoop: null },
      environment,
    );
    if (verdict === null) return;
    await tell(this.#run, verdict);
    throw new TealError("guardrail-breached", verdict.message);
  }

  #troubled(trouble: TealError): void {
    this.#trouble ??= trouble;
    this.#wake.resolve();
  }

  /** Until there is news, `ms` at most. A sleep that news has cut short goes on, and ends a later wait: most are cut short. */
  async #wait(ms: Milliseconds): Promise<void> {
    const { clock } = this.#run.parts;
    const at = clock.monotonic() + ms;
    if (this.#tick === null || this.#tick.at > at) {
      const over = clock.sleep(ms, this.#signal).then(() => {
        if (this.#tick?.at === at) this.#tick = null;
      });
      over.catch(() => undefined);
      this.#tick = { at, over };
    }
    try {
      await Promise.race([this.#wake.promise, this.#tick.over]);
    } finally {
      this.#wake = Promise.withResolvers<void>();
    }
  }
}

/**
 * Few probes cannot tell a common cause from a fault of the release; where users' requests of both environments have shown
 * one, the same rule's probes do not take back what holds for it.
 */
function sparing(users: readonly RuleVerdict[], probes: readonly RuleVerdict[]): readonly RuleVerdict[] {
  const common = new Set(
    users.flatMap(({ rule, outcome, breached }) => (outcome === "hold" && breached === "rollBack" ? [rule] : [])),
  );
  return probes.map((verdict) =>
    verdict.outcome === "rollBack" && common.has(verdict.rule) ? { ...verdict, outcome: "hold" } : verdict,
  );
}
