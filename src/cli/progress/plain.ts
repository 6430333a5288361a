import type { DeploymentAnswer, EventAnswer } from "../../sdk/client.ts";
import { endsIt, type Update } from "../follow.ts";
import type { Sink } from "../io.ts";
import { isSettled } from "../outcome.ts";
import { inner, text } from "../words/data.ts";
import { duration, timestamp } from "../words/duration.ts";
import { eventLine, stepKey, type Titles } from "../words/event.ts";
import { readReceipt } from "../../sdk/client.ts";
import { receiptLine, worthTelling } from "../words/receipt.ts";
import type { Progress } from "./progress.ts";

/** A step's own chatter comes at most this often in a log, in ms. */
const CHATTER_MS = 5_000;

/** One line with its time for each thing that happens: for logs of pipelines. */
export class PlainProgress implements Progress {
  readonly #out: Sink;
  #titles: Titles = new Map();
  readonly #steps = new Set<string>();
  readonly #receipts = new Set<number>();
  #lastChatterAt = 0;
  #seen = false;
  #toldCause: string | null = null;
  /** The end is written last, though the last step's own end may be told after it. */
  #ending: EventAnswer | null = null;

  constructor(out: Sink) {
    this.#out = out;
  }

  update(update: Update): void {
    if (update.kind === "event" && endsIt(update.event)) this.#ending = update.event;
    else if (update.kind === "event") this.#event(update.event);
    if (update.kind === "snapshot") this.#snapshot(update.deployment);
  }

  end(): void {
    if (this.#ending !== null) this.#event(this.#ending);
  }

  /** The first says what begins, the last what came too late to be an event before the end. */
  #snapshot(deployment: DeploymentAnswer): void {
    const { goal, version, from, to, id, createdAt, state, steps, receipts } = deployment;
    if (!this.#seen) {
      this.#seen = true;
      this.#titles = new Map(steps.map((step) => [stepKey(id, step.id), step.title]));
      const path = from === null || from === to ? to : `${from} → ${to}`;
      this.#line(createdAt, `${goal}${version === null ? "" : ` ${version}`}: ${path} accepted as ${id}`);
      if (!isSettled(state)) this.#skipPast(deployment);
    }
    if (!isSettled(state)) return;
    for (const step of steps) {
      if (step.state !== "done" || step.endedAt === null || this.#steps.has(step.id)) continue;
      this.#steps.add(step.id);
      this.#line(step.endedAt, `${step.title}: done in ${duration(step.endedAt - (step.startedAt ?? step.endedAt))}`);
    }
    for (const receipt of receipts) {
      if (this.#receipts.has(receipt.generation) || !worthTelling(receipt)) continue;
      this.#receipts.add(receipt.generation);
      this.#line(receipt.at, receiptLine(receipt));
    }
  }

  /** What was over before it was followed is not told at its end: an abort tells of the way back alone. */
  #skipPast({ steps, receipts }: DeploymentAnswer): void {
    for (const step of steps) if (step.state === "done") this.#steps.add(step.id);
    for (const receipt of receipts) if (receipt.final) this.#receipts.add(receipt.generation);
  }

  #event(event: EventAnswer): void {
    const { type, data, at } = event;
    if (type === "deployment-accepted") this.#notes(event);
    if (type === "deployment-accepted" || type === "step-started" || type === "split-applied") return;
    if (type === "deployment-state" && data["to"] === "running") return;
    if (type === "step-completed" && event.step != null) this.#steps.add(event.step);
    if (type === "receipt") {
      this.#receipt(event);
      return;
    }
    if (type === "step-progress" || (type === "guardrail" && (data["action"] ?? "none") === "none")) {
      if (at - this.#lastChatterAt < CHATTER_MS) return;
      this.#lastChatterAt = at;
    }
    this.#line(at, eventLine(this.#withoutToldCause(event), this.#titles));
  }

  /** The reason of a failure is written once, though the step and then each state of the deployment carry it. */
  #withoutToldCause(event: EventAnswer): EventAnswer {
    if (event.type === "step-failed") this.#toldCause = text(event.data, "message");
    if (event.type !== "deployment-state") return event;
    const message = text(inner(event.data, "cause"), "message");
    const told = message !== null && message === this.#toldCause;
    this.#toldCause = message ?? this.#toldCause;
    return told ? { ...event, data: { ...event.data, cause: null } } : event;
  }

  /** The notes of the plan: nobody has been shown it, as there is nobody to be asked. */
  #notes({ at, data }: EventAnswer): void {
    const { warnings } = data;
    if (!Array.isArray(warnings)) return;
    for (const warning of warnings) this.#line(at, `Note: ${String(warning)}`);
  }

  /** A receipt comes when the switch is made, and again when its counts are final: only that is written. */
  #receipt({ at, data }: EventAnswer): void {
    const receipt = readReceipt(data);
    if (receipt === null || !receipt.final || this.#receipts.has(receipt.generation) || !worthTelling(receipt)) return;
    this.#receipts.add(receipt.generation);
    this.#line(at, receiptLine(receipt));
  }

  #line(at: number, words: string): void {
    this.#out.write(`${timestamp(at)} ${words}\n`);
  }
}
