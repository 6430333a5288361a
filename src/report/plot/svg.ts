import type { ScaleLinear } from "d3-scale";
import { area, curveLinear, curveStepAfter, line } from "d3-shape";
import { element, escaped } from "../markup.ts";
import { type TimeAxis, timeAxis, valueAxis } from "./axis.ts";
import type { Figure, Line, Panel } from "./figure.ts";
import { STYLE } from "./theme.ts";

const LEFT = 56;
const RIGHT = 16;
/** Of a panel: its heading, its keys (a line each), the plot itself, and what is below. */
const HEAD = 24;
const KEY = 18;
const PLOT = 120;
const GAP = 18;
const FOOT = 44;
/** Width of a letter, on average, in a key: keys go on to the next line where there is no room. */
const LETTER = 6.6;
const SWATCH = 26;

type Point = Line["points"][number];

/** A picture that needs nothing beside it: no script, no font, nothing to be fetched. Light or dark as the reader is set. */
export function svgOf(figure: Figure, width: number): string {
  const inner: [number, number] = [LEFT, width - RIGHT];
  const time = timeAxis([figure.fromMs, figure.toMs], inner);
  const marks = markLabels(figure, time, width);
  let y = marks.height;
  const panels = figure.panels.map((panel) => {
    const drawn = panelOf(panel, time, { top: y, width });
    y += drawn.height + GAP;
    return (
      drawn.markup + figure.marks.map(({ at, tone }) => vertical(time.scale(at), drawn.plot, `mark ${tone}`)).join("")
    );
  });
  const bottom = y - GAP;
  const height = bottom + FOOT;
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "tp",
      viewBox: `0 0 ${String(width)} ${String(height)}`,
      width,
      height,
      role: "img",
      style: "max-width:100%;height:auto",
    },
    element("title", {}, escaped(figure.title)),
    element("desc", {}, escaped(figure.description)),
    element("style", {}, STYLE),
    element("rect", { width, height, fill: "var(--bg)" }),
    ...panels,
    marks.markup,
    timeTicks(time, bottom),
    text({ x: (inner[0] + inner[1]) / 2, y: bottom + 36, anchor: "middle" }, `${time.unit} since ${figure.since}`),
  );
}

/** Above the panels, each on a line of its own. */
function markLabels({ marks }: Figure, { scale }: TimeAxis, width: number): { markup: string; height: number } {
  const labels = marks.map(({ at, label, tone }, index) => {
    const x = scale(at);
    const isRight = x > width / 2;
    const place = { x: x + (isRight ? -5 : 5), y: 14 + index * 15, anchor: isRight ? "end" : "start", class: tone };
    return text(place, label);
  });
  return { markup: element("g", {}, ...labels, ""), height: marks.length === 0 ? 4 : 8 + marks.length * 15 };
}

function panelOf(
  panel: Panel,
  time: TimeAxis,
  { top, width }: { readonly top: number; readonly width: number },
): { markup: string; height: number; plot: [number, number] } {
  const keys = keysOf(panel, { top: top + HEAD, width });
  const plotTop = top + HEAD + keys.height;
  const range: [number, number] = [plotTop + PLOT, plotTop + 6];
  const values = panel.lines.flatMap(({ points }) => points.flatMap(([, value]) => (value === null ? [] : [value])));
  const axis = valueAxis({ most: Math.max(0, ...values), least: panel.least, cap: panel.most }, range);
  const [left, right] = [LEFT, width - RIGHT];
  const markup = element(
    "g",
    {},
    text({ x: left, y: top + 15, class: "head" }, panel.title),
    keys.markup,
    ...axis.ticks.map(
      (value) =>
        horizontal(axis.scale(value), [left, right], "grid") +
        text({ x: left - 6, y: axis.scale(value) + 4, anchor: "end", class: "faint" }, panel.tick(value)),
    ),
    ...panel.lines.map((drawn) => curveOf(drawn, time.scale, axis.scale)),
    levelOf(panel, axis.scale, [left, right]),
    horizontal(range[0], [left, right], "axis"),
  );
  return { markup, height: HEAD + keys.height + PLOT, plot: [range[1], range[0]] };
}

function curveOf(drawn: Line, x: ScaleLinear<number, number>, y: ScaleLinear<number, number>): string {
  const { points, tone, dashed = false, step = false, filled = false } = drawn;
  const known = ([, value]: Point): boolean => value !== null;
  const at = ([ms]: Point): number => x(ms);
  const up = ([, value]: Point): number => y(value ?? 0);
  const curve = step ? curveStepAfter : curveLinear;
  const path = line<Point>(at, up).defined(known).curve(curve).digits(1)([...points]) ?? "";
  const below = filled ? (area<Point>(at, y(0), up).defined(known).curve(curve).digits(1)([...points]) ?? "") : "";
  return [
    ...(below === "" ? [] : [element("path", { class: `area ${tone}`, d: below })]),
    ...(path === "" ? [] : [element("path", { class: `line ${tone}${dashed ? " dashed" : ""}`, d: path })]),
    // A single point has no length: it is a dot.
    ...(points.filter(known).length === 1
      ? points.filter(known).map((point) => element("circle", { class: tone, cx: at(point), cy: up(point), r: 2 }))
      : []),
  ].join("");
}

function levelOf({ level }: Panel, y: ScaleLinear<number, number>, across: [number, number]): string {
  if (level === undefined) return "";
  // At the left, where lines that rise to it have not come yet.
  const label = text({ x: across[0] + 6, y: y(level.at) - 4, class: "bad" }, level.label);
  return horizontal(y(level.at), across, "mark bad") + label;
}

/** Which line is which; in as many rows as it takes. */
function keysOf(
  { lines }: Panel,
  { top, width }: { readonly top: number; readonly width: number },
): { markup: string; height: number } {
  let [x, row] = [LEFT, 0];
  const keys = lines.map(({ label, tone, dashed = false }) => {
    const needed = SWATCH + label.length * LETTER + 18;
    if (x > LEFT && x + needed > width - RIGHT) [x, row] = [LEFT, row + 1];
    const y = top + row * KEY + 8;
    const swatch = element("line", {
      class: `line ${tone}${dashed ? " dashed" : ""}`,
      x1: x,
      x2: x + SWATCH - 6,
      y1: y,
      y2: y,
    });
    const key = swatch + text({ x: x + SWATCH, y: y + 4 }, label);
    x += needed;
    return key;
  });
  return { markup: element("g", {}, ...keys, ""), height: (row + 1) * KEY };
}

function timeTicks({ scale, ticks }: TimeAxis, y: number): string {
  return ticks
    .map(
      ({ at, label }) =>
        vertical(scale(at), [y, y + 5], "axis") + text({ x: scale(at), y: y + 18, anchor: "middle" }, label),
    )
    .join("");
}

function text(
  place: { readonly x: number; readonly y: number; readonly anchor?: string; readonly class?: string },
  content: string,
): string {
  const { x, y, anchor } = place;
  return element("text", { x: rounded(x), y: rounded(y), "text-anchor": anchor, class: place.class }, escaped(content));
}

function horizontal(y: number, [x1, x2]: readonly [number, number], kind: string): string {
  return element("line", { class: kind, x1, x2, y1: rounded(y), y2: rounded(y) });
}

function vertical(x: number, [y1, y2]: readonly [number, number], kind: string): string {
  return element("line", { class: kind, x1: rounded(x), x2: rounded(x), y1, y2 });
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
