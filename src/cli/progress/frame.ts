import type { EpochMilliseconds } from "../../model/time.ts";
import type { Style } from "../style.ts";
import { duration, stopwatch } from "../words/duration.ts";
import { cut, padEnd, width, wrap } from "../words/table.ts";
import { splitBar } from "../words/weights.ts";
import type { DeploymentView, StepView } from "./view.ts";

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/** Wider lines are hard to follow with the eye from title to time. */
const WIDEST = 96;
/** Of one text while the picture moves: the words of several guardrails fit, and the steps stay on the screen. */
const MOST_LINES = 4;

export interface FrameOptions {
  readonly now: EpochMilliseconds;
  readonly columns: number;
  readonly style: Style;
  /** Frames drawn so far: turns the spinner. */
  readonly tick: number;
  /** Whether this is what stays on the screen: no spinner. */
  readonly last: boolean;
}

/** The picture of a deployment: a list of lines, none wider than the terminal. */
export function frame(view: DeploymentView, options: FrameOptions): string[] {
  const columns = Math.min(options.columns - 1, WIDEST);
  const { style, last } = options;
  const lines = [heading(view, columns, options), ""];
  for (const step of view.steps) {
    lines.push(stepLine(step, columns, options));
    if (step.message !== null && (step.state === "running" || step.state === "failed")) {
      lines.push(
        ...paragraph(step.message, { columns, indent: "    ", most: last ? Infinity : MOST_LINES }).map(style.faint),
      );
    }
  }
  lines.push("");
  if (Object.keys(view.split).length > 1 && !options.last) {
    lines.push(`  ${splitBar(view.split, Math.max(10, Math.min(40, columns - 30)), style)}`);
  }
  const short = { columns, indent: "  ", most: last ? Infinity : MOST_LINES };
  // What a step failed of stands below it already.
  const isTold = view.steps.some(({ state, message }) => state === "failed" && message === view.guardrail);
  if (view.guardrail !== null && !isTold && !last) lines.push(...paragraph(view.guardrail, short).map(style.faint));
  for (const warning of view.warnings) lines.push(...paragraph(warning, short).map(style.warn));
  if (!view.connected) lines.push(style.warn("  The server is away; waiting for it …"));
  if (!options.last) lines.push(style.faint(cut(hint(view), columns)));
  const ended = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
  return ended.map((line) => cut(line, columns));
}

function heading(view: DeploymentView, columns: number, { now, style, last }: FrameOptions): string {
  const { service, goal, version, from, to } = view;
  const path =
    from === null || from === to ? style.environment(to) : `${style.environment(from)} → ${style.environment(to)}`;
  const what = `${style.strong(service)}  ${goal}${version === null ? "" : ` ${style.strong(version)}`}  ${path}`;
  const state = view.state === "running" || last ? "" : `  ${style.warn(view.state)}`;
  return spread(`${what}${state}`, last ? "" : style.faint(stopwatch(now - view.startedAt)), columns);
}

function stepLine(step: StepView, columns: number, options: FrameOptions): string {
  const { style, now } = options;
  const end = step.endedAt ?? now;
  const time =
    step.startedAt === null || step.state === "pending" || step.state === "undone"
      ? ""
      : duration(end - step.startedAt);
  // A running clock in tenths would be restless.
  const shown = step.state === "running" && step.startedAt !== null ? stopwatch(end - step.startedAt) : time;
  const quiet = step.state === "pending" || step.state === "skipped" || step.state === "undone";
  const title = cut(step.title, columns - 6 - shown.length);
  return spread(`  ${mark(step, options)} ${quiet ? style.faint(title) : title}`, style.faint(shown), columns);
}

function mark(step: StepView, { style, tick, last }: FrameOptions): string {
  const spinner = last ? "·" : (SPINNER[tick % SPINNER.length] ?? "·");
  switch (step.state) {
    case "done":
      return style.good("✓");
    case "failed":
      return style.bad("✗");
    case "running":
      return style.warn(spinner);
    case "undoing":
      return style.warn("↶");
    case "undone":
      return style.faint("↶");
    case "pending":
    case "skipped":
      return style.faint("·");
    default:
      return step.state satisfies never;
  }
}

function hint(view: DeploymentView): string {
  if (view.state === "waiting")
    return "  `teal approve` lets it go on, `teal abort` rejects it. Ctrl-C leaves it waiting.";
  const share = view.split[view.to] ?? 100;
  return view.state === "baking"
    ? `  It has ${share === 100 ? "all the" : `${String(share)} % of the`} traffic. Ctrl-C leaves it going, \`teal abort\` takes it back.`
    : "  Ctrl-C leaves it going, `teal abort` takes it back.";
}

/** Text over as many lines as it needs; where that is more than `most`, the last one says so with an ellipsis. */
function paragraph(
  text: string,
  { columns, indent, most }: { readonly columns: number; readonly indent: string; readonly most: number },
): string[] {
  const lines = wrap(text, columns, indent, indent);
  if (lines.length <= most) return lines;
  const rest = lines.slice(most - 1).map((line) => line.trim());
  return [...lines.slice(0, most - 1), cut(`${indent}${rest.join(" ")}`, columns)];
}

/** Left and right text on one line. */
function spread(left: string, right: string, columns: number): string {
  if (right === "") return cut(left, columns);
  const room = columns - width(right) - 1;
  return `${padEnd(cut(left, room), room)} ${right}`;
}
