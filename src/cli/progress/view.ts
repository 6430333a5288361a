import type { DeploymentState, Goal } from "../../model/deployment.ts";
import type { EpochMilliseconds } from "../../model/time.ts";
import type { Weights } from "../../model/traffic.ts";
import { type DeploymentAnswer, type EventAnswer, readReceipt, type ReceiptAnswer } from "../../sdk/client.ts";
import type { Update } from "../follow.ts";
import { inner, number, text, weights } from "../words/data.ts";
import { eventLine } from "../words/event.ts";

export interface StepView {
  readonly id: string;
  title: string;
  state: DeploymentAnswer["steps"][number]["state"];
  startedAt: EpochMilliseconds | null;
  endedAt: EpochMilliseconds | null;
  /** The last word of a step that runs, or why it failed. */
  message: string | null;
}

/** A deployment as it is drawn: made from a snapshot, kept up by events, put right by the next snapshot. */
export class DeploymentView {
  readonly service: string;
  readonly goal: Goal;
  readonly version: string | null;
  readonly from: string | null;
  readonly to: string;
  readonly startedAt: EpochMilliseconds;
  readonly steps: StepView[];
  readonly receipts = new Map<number, ReceiptAnswer>();
  readonly warnings: string[] = [];
  state: DeploymentState;
  cause: string | null = null;
  split: Weights;
  /** The guardrails' last numbers. */
  guardrail: string | null = null;
  connected = true;

  constructor(deployment: DeploymentAnswer) {
    const { service, goal, version, from, to, state, createdAt, startedAt } = deployment;
    this.service = service;
    this.goal = goal;
    this.version = version;
    this.from = from;
    this.to = to;
    this.state = state;
    this.startedAt = startedAt ?? createdAt;
    this.steps = deployment.steps.map((step) => ({ ...step, message: null }));
    this.split = from === null ? {} : { [from]: 100, [to]: from === to ? 100 : 0 };
    this.#snapshot(deployment);
  }

  apply(update: Update): void {
    this.connected = update.kind !== "lost";
    if (update.kind === "snapshot") this.#snapshot(update.deployment);
    if (update.kind === "event") this.#event(update.event);
    if (update.kind === "progress") this.#progress(update.deployment);
  }

  #snapshot(deployment: DeploymentAnswer): void {
    this.state = deployment.state;
    for (const { id, state, startedAt, endedAt } of deployment.steps) {
      const step = this.#step(id);
      if (step !== undefined) Object.assign(step, { state, startedAt, endedAt });
    }
    this.#progress(deployment);
    for (const receipt of deployment.receipts) this.#receipt(receipt);
  }

  #progress({ steps }: DeploymentAnswer): void {
    for (const { id, message } of steps) {
      const step = this.#step(id);
      if (step?.state === "running" && message !== undefined) step.message = message;
    }
  }

  #event(event: EventAnswer): void {
    const { data } = event;
    const step = this.#step(event.step);
    if (step !== undefined) applyStep(step, event);
    switch (event.type) {
      case "deployment-state":
        this.state = (text(data, "to") ?? this.state) as DeploymentState;
        this.cause = text(inner(data, "cause"), "message") ?? this.cause;
        break;
      case "split-applied":
      case "split-reverted":
        this.split = weights(data, "weights") ?? this.split;
        break;
      case "guardrail":
        this.guardrail = text(data, "message");
        break;
      case "receipt": {
        const receipt = readReceipt(data);
        if (receipt !== null) this.#receipt(receipt);
        break;
      }
      case "warning":
      case "drift":
        this.warnings.push(eventLine(event));
        break;
      default:
        break;
    }
  }

  #receipt(receipt: ReceiptAnswer): void {
    const known = this.receipts.get(receipt.generation);
    if (known === undefined || !known.final) this.receipts.set(receipt.generation, receipt);
    const newest = Math.max(...this.receipts.keys());
    if (receipt.generation === newest) this.split = receipt.to;
  }

  #step(id: string | null | undefined): StepView | undefined {
    return this.steps.find((step) => step.id === id);
  }
}

function applyStep(step: StepView, event: EventAnswer): void {
  switch (event.type) {
    case "step-started":
      Object.assign(step, { state: "running", startedAt: event.at, endedAt: null, message: null });
      break;
    case "step-progress":
      step.message = text(event.data, "message");
      break;
    case "step-completed":
      Object.assign(step, { state: "done", endedAt: event.at, message: null });
      step.startedAt ??= event.at - (number(event.data, "tookMs") ?? 0);
      break;
    case "step-failed":
      Object.assign(step, { state: "failed", endedAt: event.at, message: text(event.data, "message") });
      break;
    case "step-undone":
      Object.assign(step, { state: "undone", endedAt: event.at, message: null });
      break;
    default:
      break;
  }
}
