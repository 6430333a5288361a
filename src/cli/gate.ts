import type { DeploymentState } from "../model/deployment.ts";
import type { DeploymentAnswer } from "../sdk/client.ts";
import { stateTold, type Update } from "./follow.ts";
import type { Progress } from "./progress/progress.ts";

/** What a person at the terminal says to a deployment that waits for an approval. */
export type GateAnswer = "approve" | "reject" | "leave";

export interface GateParts {
  /** A fresh picture. */
  progress(): Promise<Progress>;
  /** Puts the question; the signal ends it when somebody else has answered. */
  ask(signal: AbortSignal): Promise<GateAnswer>;
  /** Does what was answered. */
  act(answer: GateAnswer): Promise<void>;
  /** The deployment as it is now. */
  look(): Promise<DeploymentAnswer>;
  /** Told of what went wrong with the answer: the deployment goes on being shown. */
  failed(thrown: unknown): void;
}

/** Shows a deployment, and when it waits for an approval, gives the terminal to the question until that is answered. */
export class ApprovalGate implements Progress {
  readonly #parts: GateParts;
  #shown: Progress | null;
  #asking: AbortController | null = null;
  #ended = false;

  constructor(first: Progress, parts: GateParts) {
    this.#shown = first;
    this.#parts = parts;
  }

  update(update: Update): void {
    const state = stateOf(update);
    this.#shown?.update(update);
    if (state === null) return;
    if (state !== "waiting") this.#asking?.abort();
    else if (this.#asking === null) void this.#ask();
  }

  end(): void {
    this.#ended = true;
    this.#asking?.abort();
    this.#shown?.end();
  }

  async #ask(): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    this.#shown?.end();
    this.#shown = null;
    try {
      const answer = await this.#parts.ask(asking.signal);
      if (!asking.signal.aborted) await this.#parts.act(answer);
    } catch (thrown) {
      this.#parts.failed(thrown);
    }
    await this.#showAgain();
    this.#asking = null;
  }

  async #showAgain(): Promise<void> {
    try {
      const [shown, deployment] = await Promise.all([this.#parts.progress(), this.#parts.look()]);
      shown.update({ kind: "snapshot", deployment });
      if (this.#ended) shown.end();
      else this.#shown = shown;
    } catch (thrown) {
      this.#parts.failed(thrown);
    }
  }
}

function stateOf(update: Update): DeploymentState | null {
  if (update.kind === "snapshot") return update.deployment.state;
  return update.kind === "event" ? stateTold(update.event) : null;
}
