import type { EventAnswer } from "../../sdk/client.ts";
import type { Style } from "../style.ts";
import { timestamp } from "./duration.ts";
import { text } from "./data.ts";
import { eventLine, stepKey, type Titles, tone } from "./event.ts";

/** Writes events one a line, and remembers the titles of steps as they pass. */
export class EventRows {
  readonly #style: Style;
  readonly #titles = new Map<string, string>();

  constructor(style: Style) {
    this.#style = style;
  }

  row(event: EventAnswer): string {
    const title = text(event.data, "title");
    if (event.type === "step-started" && title !== null) this.#titles.set(stepKey(event.deployment, event.step), title);
    return eventRow(event, this.#style, this.#titles);
  }
}

/** `2026-11-21T02:13:14Z    12 web  traffic: blue 90 %, green 10 %` */
function eventRow(event: EventAnswer, style: Style, titles: Titles): string {
  const paint = { bad: style.bad, good: style.good, warn: style.warn, plain: (words: string) => words }[tone(event)];
  const head = style.faint(`${timestamp(event.at)} ${String(event.seq).padStart(5)}`);
  return `${head} ${event.service === null ? "" : `${event.service}  `}${paint(eventLine(event, titles))}`;
}
