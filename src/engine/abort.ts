import { isEnded, type RollbackCause } from "../model/deployment.ts";
import { TealError } from "../model/error.ts";
import type { Milliseconds } from "../model/time.ts";
import type { Running } from "./running.ts";
import type { TakeBack } from "./take-back.ts";
import { isDoneWithin } from "./within.ts";

/** The data plane goes first, but a step is not kept waiting for it longer than this. */
const REVERT_FIRST_MS: Milliseconds = 1_000;
/** Who aborts gets an answer after this, also when the data plane gives none. */
const REVERT_ANSWER_MS: Milliseconds = 15_000;
/** The traffic is back; a record that takes longer is written all the same. */
const RECORD_ANSWER_MS: Milliseconds = 2_000;

/** A person's word that ends one deployment: the traffic first, then the step, then the record. */
export class Abort {
  readonly #run: Running;
  readonly #takeBack: TakeBack;
  readonly #asked = new AbortController();
  readonly #step = new AbortController();

  constructor(run: Running, takeBack: TakeBack) {
    this.#run = run;
    this.#takeBack = takeBack;
  }

  /** Aborts at once when it is asked for. */
  get asked(): AbortSignal {
    return this.#asked.signal;
  }

  /** Ends the step that runs. */
  get signal(): AbortSignal {
    return this.#step.signal;
  }

  /**
   * The traffic is back when this returns, and the record says so unless the store is slow; the clean-up goes on, and so
   * does all of it when this throws `data-plane-down`. One that is frozen ends where it stands. `closing`: while the
   * deployment is disarmed and recorded as done; `done`: its end.
   * @throws `deployment-ended`, `data-plane-down`
   */
  async ask(
    cause: RollbackCause,
    { closing, done }: { readonly closing: Promise<void> | null; readonly done: Promise<void> },
  ): Promise<void> {
    const { clock } = this.#run.parts;
    this.#asked.abort(new TealError("aborted", "the deployment is being aborted"));
    // Disarmed already: what is being written now decides whether there is anything left to abort.
    await closing?.catch(() => undefined);
    const { id, state } = this.#run.deployment;
    if (isEnded(state)) throw new TealError("deployment-ended", `${id} has ended: ${state}`);
    const isFrozen = state === "frozen";
    if (isFrozen) {
      this.#run.givenUp = true;
      this.#run.holding.wake();
    }
    const reverted = this.#takeBack.revert(cause);
    // A data plane that does not answer must not keep the step going.
    await isDoneWithin(reverted, REVERT_FIRST_MS, clock);
    this.#step.abort(new TealError("aborted", "the deployment is being aborted"));
    if (!(await isDoneWithin(reverted, REVERT_ANSWER_MS, clock))) {
      throw new TealError("data-plane-down", `${id} is taken back as soon as the data plane answers`);
    }
    await isDoneWithin(isFrozen ? done : this.#takeBack.journaled(cause), RECORD_ANSWER_MS, clock);
  }
}
