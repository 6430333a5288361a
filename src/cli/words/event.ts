import type { EventType } from "../../model/event.ts";
import { type EventAnswer, readReceipt } from "../../sdk/client.ts";
import { type Data, inner, number, text, weights } from "./data.ts";
import { duration, relative } from "./duration.ts";
import { receiptLine } from "./receipt.ts";
import { split } from "./weights.ts";

/** Titles of steps by {@link stepKey}: only the event of a step's start carries its title. */
export type Titles = ReadonlyMap<string, string>;
type Describe = (data: Data, event: EventAnswer, titles: Titles) => string;

/** By the cause of `process-replaced`. */
const ENDED: Readonly<Record<string, string>> = {
  ended: "had ended; this one was started in its place",
  hung: "answered nothing and was ended; this one was started in its place",
};

/** One line for a person for every kind of event. What `data` holds: model/event.ts. */
const WORDS: Readonly<Record<EventType, Describe>> = {
  "server-started": (data) =>
    `server ${text(data, "version") ?? ""} started${recovered(number(data, "recovered") ?? 0)}`,
  "process-replaced": (data) => {
    const ended = ENDED[text(data, "cause") ?? ""] ?? "was replaced";
    const [name, pid, before] = [text(data, "process"), number(data, "pid"), number(data, "before")];
    return `${name ?? "process"} ${String(pid)} runs ${text(data, "runtime") ?? ""}: ${String(before)} ${ended}`;
  },
  "deployment-accepted": (data, event) => `${goalLine(data)} accepted as ${event.deployment ?? "?"}${because(data)}`,
  "deployment-state": stateLine,
  "step-started": (data, event, titles) => `${title(data, event, titles)} …`,
  "step-progress": (data, event) => `${event.step ?? ""}: ${text(data, "message") ?? ""}`,
  "step-completed": (data, event, titles) =>
    `${title(data, event, titles)}: done in ${duration(number(data, "tookMs") ?? 0)}`,
  "step-failed": (data, event, titles) =>
    `${title(data, event, titles)}: failed: ${text(data, "message") ?? "?"} [${text(data, "code") ?? "?"}]`,
  "step-undone": (data, event, titles) => `${title(data, event, titles)}: undone`,
  "split-applied": (data) => `traffic: ${split(weights(data, "weights") ?? {})}`,
  "split-reverted": (data) => `traffic reverted: ${split(weights(data, "weights") ?? {})}${took(data)}`,
  receipt: (data) => {
    const receipt = readReceipt(data);
    return receipt === null ? "receipt" : receiptLine(receipt);
  },
  guardrail: guardrailLine,
  instance: (data) => `instance ${text(data, "id") ?? "?"} is ${text(data, "state") ?? "?"}${reasonOf(data)}`,
  environment: (data) =>
    `environment ${text(data, "environment") ?? "?"} is ${text(data, "state") ?? "?"}${withRelease(data)}`,
  "release-frozen": (data) => `release ${text(data, "release") ?? "?"} frozen`,
  "release-pruned": (data) => `release ${text(data, "release") ?? "?"} removed from disk`,
  resumed: (data, event) =>
    `${event.deployment ?? "?"} goes on after a hold (${text(data, "kind") ?? "?"}), asked by ${text(data, "by") ?? "?"}${because(data)}`,
  "traffic-asked": (data) =>
    `traffic set by ${text(data, "by") ?? "?"}: ${split(weights(data, "weights") ?? {})}${because(data)}`,
  approval: (data, event) => `${event.deployment ?? "?"} was approved by ${text(data, "by") ?? "?"}${because(data)}`,
  "retirement-scheduled": (data, event) =>
    `${text(data, "environment") ?? "?"} is to be retired ${relative(number(data, "at") ?? event.at, event.at)}`,
  "retirement-cancelled": (data) => `retirement of ${text(data, "environment") ?? "?"} cancelled`,
  maintenance: (data) => `maintenance is ${text(data, "mode") ?? "?"}, by ${text(data, "by") ?? "?"}${because(data)}`,
  "token-created": (data) =>
    `token ${text(data, "name") ?? "?"} (${text(data, "role") ?? "?"}) created by ${text(data, "by") ?? "?"}${because(data)}`,
  "token-revoked": (data) => `token ${text(data, "name") ?? "?"} revoked by ${text(data, "by") ?? "?"}${because(data)}`,
  "events-pruned": (data) => `${String(number(data, "events") ?? 0)} old events removed`,
  drift: (data) =>
    `drift: the live split is ${split(weights(data, "live") ?? {})}, not ${split(weights(data, "expected") ?? {})}`,
  warning: (data) => `warning: ${text(data, "message") ?? "?"} [${text(data, "code") ?? "?"}]`,
};

export function eventLine(event: EventAnswer, titles: Titles = new Map()): string {
  return WORDS[event.type](event.data, event, titles);
}

/** Under which a step's title is kept. */
export function stepKey(deployment: string | null, step: string | null | undefined): string {
  return `${deployment ?? ""} ${step ?? ""}`;
}

/** Whether an event tells of harm or of its end, for its colour. */
export function tone(event: EventAnswer): "bad" | "good" | "warn" | "plain" {
  if (event.type === "step-failed" || event.type === "split-reverted") return "bad";
  if (event.type === "warning" || event.type === "drift") return "warn";
  if (event.type === "guardrail") return guardrailTone(text(event.data, "action"));
  if (event.type !== "deployment-state") return "plain";
  const to = text(event.data, "to");
  if (to === "completed") return "good";
  return to === "running" || to === "baking" || to === "waiting" ? "plain" : "bad";
}

function guardrailTone(action: string | null): "bad" | "warn" | "plain" {
  if (action === "rollBack") return "bad";
  return action === "warn" || action === "hold" ? "warn" : "plain";
}

function goalLine(data: Data): string {
  const goal = text(data, "goal") ?? "deployment";
  const version = text(data, "version");
  const from = text(data, "from");
  return `${goal}${version === null ? "" : ` ${version}`}: ${from === null ? "" : `${from} → `}${text(data, "to") ?? "?"}`;
}

function stateLine(data: Data, event: EventAnswer): string {
  const cause = inner(data, "cause");
  if (text(data, "to") === "waiting")
    return `deployment ${event.deployment ?? "?"} waits for an approval: \`teal approve\` lets it go on`;
  const why =
    text(cause, "message") ??
    (text(cause, "kind") === "abort" ? `asked by ${text(cause, "by") ?? "?"}${because(cause ?? {})}` : null);
  return `deployment ${event.deployment ?? "?"} is ${text(data, "to") ?? "?"}${why === null ? "" : `: ${why}`}`;
}

function guardrailLine(data: Data): string {
  const action = text(data, "action");
  const message = text(data, "message") ?? text(data, "rule") ?? "?";
  return `guardrail${action === null || action === "none" ? "" : ` (${action === "rollBack" ? "roll back" : action})`}: ${message}`;
}

function title(data: Data, { deployment, step }: EventAnswer, titles: Titles): string {
  return text(data, "title") ?? titles.get(stepKey(deployment, step)) ?? step ?? "step";
}

function recovered(count: number): string {
  return count === 0 ? "" : `, ${String(count)} deployment${count === 1 ? "" : "s"} taken up again`;
}

function because(data: Data): string {
  const reason = text(data, "reason");
  return reason === null ? "" : ` (${reason})`;
}

function reasonOf(data: Data): string {
  const reason = text(data, "reason");
  return reason === null ? "" : `: ${reason}`;
}

function withRelease(data: Data): string {
  const release = text(data, "release");
  return release === null ? "" : ` with ${release}`;
}

function took(data: Data): string {
  const ms = number(data, "tookMs");
  return ms === null ? "" : ` (within ${duration(ms)})`;
}
