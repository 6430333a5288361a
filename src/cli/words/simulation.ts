import type { RecordedTraffic, Replayed, Simulation, SimulationWish } from "../../main/simulate.ts";
import type { DeploymentAnswer } from "../../sdk/client.ts";
import type { Style } from "../style.ts";
import { duration } from "./duration.ts";
import { padEnd, width, wrap } from "./table.ts";

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const whole = (value: number): string => WHOLE.format(value);

/** What came of a described release, for a person. */
export function simulationLines(
  { spec, scenario }: SimulationWish,
  simulation: Simulation,
  style: Style,
  columns: number,
): readonly string[] {
  const { stages, detectMs, runs, caught, good } = simulation;
  if (stages.length === 0)
    return [
      `${style.strong(spec.name)}: the plan watches nothing: without deploy.shift and deploy.bake nothing is caught.`,
    ];
  const plan = stages.map(
    ({ step, weight, watchMs }) => `${step === "bake" ? "bake at " : ""}${String(weight)} % for ${duration(watchMs)}`,
  );
  const rows = [
    ["taken back", ofRuns(caught, runs, style)],
    ...otherRows(simulation),
    ["time to detect", spreadOf(detectMs, duration)],
    ...hurtRows(simulation, scenario),
    ...(caught === 0
      ? []
      : [
          ["caught at", tally(simulation.steps)],
          ["caught by", tally(simulation.rules)],
        ]),
    ["if nothing watched", `${whole(simulation.unwatched)} requests by the end of the plan, on average`],
  ];
  return [
    ...wrap(`${style.strong(spec.name)}: ${plan.join(", ")}; ${rateText(scenario.rate)}`, columns, "", "  "),
    "",
    `${described(scenario)}:`,
    ...indented(rows, style, columns),
    "",
    "A release as good as the active one:",
    ...indented(
      [
        [
          "taken back",
          `${whole(good.takenBack)} of ${whole(good.runs)} runs: at most ${share(good.atMost)}, with a confidence of 95 %`,
        ],
        ["promised", `at most ${share(good.promised)} (guardrails.alpha)`],
      ],
      style,
      columns,
    ),
  ];
}

function otherRows({ otherwise, neverCaught, neverCaughtAtMost, runs }: Simulation): string[][] {
  const { notShownGood, held, early } = otherwise;
  const rows: [string, number, string][] = [
    ["taken back early", early, "before it was bad"],
    ["not shown good", notShownGood, "evidence was waited for in vain, so that it was taken back"],
    ["held", held, "a guardrail held it until its step's deadline, as nobody answered; then it was taken back"],
  ];
  return [
    ...rows
      .filter(([, count]) => count > 0)
      .map(([name, count, why]) => [name, `${whole(count)} of ${whole(runs)} runs: ${why}`]),
    [
      "never caught",
      `${whole(neverCaught)} of ${whole(runs)} runs: at most ${share(neverCaughtAtMost)}, with a confidence of 95 %`,
    ],
  ];
}

function hurtRows(
  { failed, slowed, usersHurt }: Simulation,
  { failing, slow, users }: SimulationWish["scenario"],
): string[][] {
  return [
    ...(failing > 0 ? [["failed requests", spreadOf(failed, whole)]] : []),
    ...(slow > 1 ? [["slowed requests", spreadOf(slowed, whole)]] : []),
    ...(usersHurt === null ? [] : [["users hurt", `${spreadOf(usersHurt, whole)}; there are ${whole(users ?? 0)}`]]),
  ];
}

/** What recorded traffic would have come to, and what it came to. */
export function replayLines(
  {
    traffic,
    replayed,
    state,
    cause,
  }: {
    readonly traffic: RecordedTraffic;
    readonly replayed: Replayed;
    readonly state: DeploymentAnswer["state"];
    readonly cause: DeploymentAnswer["cause"];
  },
  style: Style,
  columns: number,
): readonly string[] {
  const { points, deployment, service, candidate } = traffic;
  const from = points[0]?.from ?? 0;
  const until = points.at(-1)?.at ?? from;
  const { takenBack, failed, requests } = replayed;
  const notes = replayed.verdicts.filter(({ outcome }) => outcome === "warn" || outcome === "hold");
  const item = (text: string, indent = ""): string[] => wrap(text, columns, indent, `${indent}  `);
  return [
    `${style.strong(deployment)}  ${service}, ${candidate}: ${duration(until - from)} of traffic are kept`,
    "",
    ...(takenBack === null
      ? item(
          `By the guardrails of teal.yaml now it would not have been taken back: ${whole(failed)} of ${whole(requests)} requests of ${candidate} failed.`,
        )
      : [
          ...item(
            `By the guardrails of teal.yaml now it would have been taken back after ${duration(takenBack.at - from)}, at ${takenBack.step}, by ${takenBack.rule}:`,
          ).map(style.bad),
          ...item(takenBack.message, "  "),
          ...item(`${whole(failed)} of ${whole(requests)} requests of ${candidate} had failed until then.`, "  "),
        ]),
    ...notes.flatMap(({ rule, outcome, at, message }) =>
      item(`${outcome} after ${duration(at - from)} by ${rule}: ${message}`, "  "),
    ),
    "",
    ...item(
      `What became of it: ${state}${cause === null ? "" : `, ${cause.kind === "abort" ? `aborted by ${cause.by}` : cause.message}`}.`,
    ),
    "",
    ...replayed.caveats.flatMap(({ message }) => item(`Not exact: ${message}.`).map(style.warn)),
    ...item(
      `Its counts are kept in intervals of up to ${duration(replayed.grainMs)}, so a verdict may come so much later, or not at all when it was a close one. Crash loops and refused connections are not replayed. What would have come after its end is not known.`,
    ).map(style.faint),
  ];
}

function described({ failing, slow, afterMs, activeFailing }: SimulationWish["scenario"]): string {
  const parts = [
    ...(failing > 0 || slow === 1 ? [`fails ${share(failing)} of its requests`] : []),
    ...(slow > 1 ? [`takes ${String(slow)} times as long`] : []),
  ];
  const when = afterMs > 0 ? `, after ${duration(afterMs)}` : "";
  return `A release that ${parts.join(" and ")}${when}${activeFailing > 0 ? ` (the active one fails ${share(activeFailing)})` : ""}`;
}

function rateText(rate: number): string {
  return rate >= 1
    ? `${String(Number(rate.toFixed(1)))} requests a second`
    : `${String(Number((rate * 60).toFixed(1)))} requests a minute`;
}

function ofRuns(hits: number, runs: number, style: Style): string {
  const text = `${whole(hits)} of ${whole(runs)} runs`;
  return hits === runs ? style.good(text) : hits === 0 ? style.bad(text) : style.warn(text);
}

function spreadOf({ median, p95 }: Simulation["failed"], word: (value: number) => string): string {
  if (median === null) return "in half of the runs not at all";
  return `${word(median)} in the median, ${p95 === null ? "more than one run in 20 not at all" : `${word(p95)} or less in 95 of 100 runs`}`;
}

function tally(counts: Readonly<Record<string, number | undefined>>): string {
  return Object.entries(counts)
    .toSorted(([, a = 0], [, b = 0]) => b - a)
    .map(([name, count = 0]) => `${name} ${whole(count)}`)
    .join(", ");
}

/** Rounded up, so that what is promised holds. */
function share(value: number): string {
  if (value === 0 || value === 1) return `${String(value * 100)} %`;
  const digits = Math.max(0, 1 - Math.floor(Math.log10(value * 100)));
  return `${String(Number((Math.ceil(value * 100 * 10 ** digits - 1e-6) / 10 ** digits).toFixed(digits)))} %`;
}

/** Names, and beside them what is said, broken where the screen ends. */
function indented(rows: readonly (readonly string[])[], style: Style, columns: number): string[] {
  const names = Math.max(0, ...rows.map(([name = ""]) => width(name)));
  return rows.flatMap(([name = "", says = ""]) =>
    wrap(says, columns, `  ${padEnd(style.faint(name), names)}  `, " ".repeat(names + 4)),
  );
}
