import type { TealEvent } from "../model/event.ts";
import type { EpochMilliseconds } from "../model/time.ts";
import type { DeploymentRecord } from "../store/deployment-record.ts";
import { numberOf, splitText, textOf, weightsOf } from "./data.ts";
import { duration, many } from "./words.ts";

export interface Moment {
  readonly at: EpochMilliseconds;
  readonly step: string | null;
  readonly text: string;
}

/** What happened and when, in words; what only a machine wants to know is left out. */
export function timelineOf({ events, leftOut }: Pick<DeploymentRecord, "events" | "leftOut">): readonly Moment[] {
  return events.flatMap((event) => {
    const text = told(event);
    const here = text === null ? [] : [{ at: event.at, step: event.step, text }];
    if (leftOut === null || event.seq !== leftOut.after.seq) return here;
    const gap = `${many(leftOut.count, "event")} that came here ${leftOut.count === 1 ? "is" : "are"} left out`;
    return [...here, { at: event.at, step: null, text: gap }];
  });
}

const text = (event: TealEvent, key: string): string => textOf(event, key) ?? "?";
const took = (event: TealEvent): string => {
  const ms = numberOf(event, "tookMs");
  return ms === null ? "" : ` (${duration(ms)})`;
};
const why = (event: TealEvent): string => {
  const reason = textOf(event, "reason");
  return reason === null ? "" : `: ${reason}`;
};

const WORDS: Partial<Record<TealEvent["type"], (event: TealEvent) => string | null>> = {
  "deployment-accepted": (event) => `Accepted, asked for by ${text(event, "by")}${why(event)}`,
  "deployment-state": (event) => `It is ${text(event, "to")} now`,
  "step-started": (event) => `Begins: ${text(event, "title")}`,
  "step-completed": (event) => `Done${took(event)}`,
  "step-failed": (event) => `Failed: ${text(event, "message")} [${text(event, "code")}]`,
  "step-undone": (event) => `Cleaned up: ${text(event, "title")}`,
  "step-progress": (event) =>
    event.data["output"] === true || event.data["probes"] !== undefined
      ? null
      : `${text(event, "message")}${took(event)}`,
  "split-applied": (event) => `The split is ${splitText(weightsOf(event) ?? {})}${took(event)}`,
  "split-reverted": (event) => `The traffic is back: ${splitText(weightsOf(event) ?? {})}${took(event)}`,
  "traffic-asked": (event) => `${text(event, "by")} sets the split ${splitText(weightsOf(event) ?? {})}${why(event)}`,
  guardrail: (event) =>
    `Guardrail ${text(event, "rule")} (${VERDICTS[text(event, "action")] ?? "?"}): ${text(event, "message")}`,
  approval: (event) => `Approved by ${text(event, "by")}${why(event)}`,
  resumed: (event) => `${text(event, "by")} lets it go on${why(event)}`,
  drift: (event) =>
    `Drift: the live split is ${splitText(weightsOf(event, "live") ?? {})}, Teal had set ${splitText(weightsOf(event, "expected") ?? {})}`,
  warning: (event) => `Warning: ${text(event, "message")}`,
  "retirement-scheduled": (event) => `${text(event, "environment")} is kept warm, to be retired later`,
};

const VERDICTS: Readonly<Record<string, string>> = {
  warn: "warns",
  hold: "holds",
  rollBack: "takes back",
  none: "too little evidence",
};

function told(event: TealEvent): string | null {
  return WORDS[event.type]?.(event) ?? null;
}
