import { fastPath, FATAL_CONNECT_FAILURES } from "../../analysis/fast-path.ts";
import { evaluate } from "../../analysis/guardrails.ts";
import type { RuleVerdict } from "../../analysis/verdict.ts";
import { CounterWindow } from "../../analysis/window.ts";
import { TealError } from "../../model/error.ts";
import type { Milliseconds } from "../../model/time.ts";
import { revertedBy, throwIfLatched } from "../latched.ts";
import { driverOf } from "../parts.ts";
import type { StepRun } from "../step.ts";
import { healthyIn } from "../traffic-desk.ts";
import { Exits } from "./exits.ts";

/** Without news from the data plane it is looked at this often. */
const LOOK_EVERY_MS: Milliseconds = 500;

export interface WatchWish {
  /** The new environment. */
  readonly environment: string;
  /** The environment to compare with; null: absolute limits alone. */
  readonly baseline: string | null;
  readonly watchMs: Milliseconds;
}

/**
 * Watches the new environment until the time is over, deciding after every sample. A hold keeps it from ending; the step's
 * deadline bounds that. Ends early when the run has watched enough.
 * @throws `guardrail-breached`, `crash-loop`, `controller-loss`, `latched`
 */
export async function watch(run: StepRun, wish: WatchWish): Promise<void> {
  const over = new AbortController();
  try {
    await new Watch(run, wish, AbortSignal.any([run.context.signal, over.signal])).toTheEnd();
  } finally {
    over.abort(new TealError("aborted", "the watch is over"));
  }
}

class Watch {
  readonly #run: StepRun;
  readonly #wish: WatchWish;
  readonly #signal: AbortSignal;
  readonly #exits: Exits;
  readonly #told = new Set<string>();
  #window: CounterWindow;
  #trouble: TealError | null = null;
  #mustLook = false;
  #wake = Promise.withResolvers<void>();

  constructor(run: StepRun, wish: WatchWish, signal: AbortSignal) {
    this.#run = run;
    this.#wish = wish;
    this.#signal = signal;
    this.#exits = new Exits(wish.environment);
    const { window } = run.progress;
    this.#window = window === undefined ? CounterWindow.empty : CounterWindow.fromJSON(window);
  }

  async toTheEnd(): Promise<void> {
    const { clock } = this.#run.parts;
    await this.#listen();
    const since = this.#run.progress["watchedSince"];
    const spent = typeof since === "number" ? Math.max(0, clock.now() - since) : 0;
    const end = clock.monotonic() + Math.max(0, this.#wish.watchMs - spent);
    while (!this.#run.enough.aborted) {
      if (this.#trouble !== null) throw this.#trouble;
      await this.#keepBeginning();
      const verdicts = this.#verdicts();
      await this.#act(verdicts);
      await this.#lookIfNeeded();
      const holding = verdicts.some(({ outcome }) => outcome === "hold");
      const left = end - clock.monotonic();
      if (left <= 0 && !holding) {
        await this.#tellSilence(verdicts);
        return;
      }
      await this.#wait(left > 0 ? Math.min(left, LOOK_EVERY_MS) : LOOK_EVERY_MS);
    }
  }

  async #listen(): Promise<void> {
    const { parts, deployment, release, context } = this.#run;
    const { service, id } = deployment;
    const { hub } = parts;
    hub.subscribe(
      "sample",
      (sample) => {
        if (sample.service !== service) return;
        this.#window = this.#window.add(sample);
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
    hub.subscribe(
      "instance",
      (message) => {
        if (message.service !== service) return;
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
    const driver = driverOf(parts.environments, release.spec.environment.driver);
    const seen = await driver.observe(service, this.#wish.environment, context.signal);
    this.#exits.start(seen);
    // What was so before anybody listened, or while no server was there, is announced no more.
    for (const instance of seen.instances) {
      const trouble = this.#exits.seen(this.#wish.environment, instance);
      if (trouble !== null) this.#troubled(trouble);
    }
  }

  /** The window's beginning is kept, so that a verdict after a crash rests on all that was seen. */
  async #keepBeginning(): Promise<void> {
    if (!this.#window.hasBegun || this.#run.progress["window"] !== undefined) return;
    await this.#run.record({ window: this.#window.toJSON() });
  }

  #verdicts(): readonly RuleVerdict[] {
    const { environment, baseline } = this.#wish;
    const candidate = this.#window.of(environment);
    if (candidate.requests === 0) return [];
    const evidence = { candidate, baseline: baseline === null ? null : this.#window.of(baseline) };
    return evaluate(this.#run.release.spec.deploy.guardrails, evidence, { candidate: environment, baseline });
  }

  async #act(verdicts: readonly RuleVerdict[]): Promise<void> {
    for (const verdict of verdicts) {
      const key = `${verdict.rule} ${verdict.outcome}`;
      if (actionOf(verdict) === "none" || this.#told.has(key)) continue;
      this.#told.add(key);
      await this.#tell(verdict);
    }
    const breach = verdicts.find(({ outcome }) => outcome === "rollBack");
    if (breach !== undefined) throw new TealError("guardrail-breached", breach.message);
  }

  /** Looks at the data plane when it may have forgotten or reverted, or when connects are refused. */
  async #lookIfNeeded(): Promise<void> {
    const { environment } = this.#wish;
    const { connectFailures } = this.#window.of(environment);
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
    await this.#tell(verdict);
    throw new TealError("guardrail-breached", verdict.message);
  }

  /** Time alone moved it on where too little was seen: that is said, so that nobody takes silence for proof. */
  async #tellSilence(verdicts: readonly RuleVerdict[]): Promise<void> {
    const { environment } = this.#wish;
    for (const verdict of verdicts) if (verdict.lacking === "candidate") await this.#tell(verdict);
    if (verdicts.length > 0) return;
    const message = `not enough evidence: no request went to ${environment} while it was watched`;
    await this.#run.emit("guardrail", { rule: "all", action: "none", message, requests: 0 });
  }

  #tell(verdict: RuleVerdict): Promise<void> {
    const { rule, message, observed, limit, requests } = verdict;
    return this.#run.emit("guardrail", { rule, action: actionOf(verdict), message, observed, limit, requests });
  }

  #troubled(trouble: TealError): void {
    this.#trouble ??= trouble;
    this.#wake.resolve();
  }

  async #wait(ms: Milliseconds): Promise<void> {
    const ticking = new AbortController();
    const tick = this.#run.parts.clock.sleep(ms, AbortSignal.any([this.#signal, ticking.signal]));
    tick.catch(() => undefined);
    try {
      await Promise.race([this.#wake.promise, tick]);
    } finally {
      ticking.abort(new TealError("aborted", "woken"));
      this.#wake = Promise.withResolvers<void>();
    }
  }
}

function actionOf({ outcome }: RuleVerdict): "warn" | "hold" | "rollBack" | "none" {
  return outcome === "within" || outcome === "not-enough-evidence" ? "none" : outcome;
}
