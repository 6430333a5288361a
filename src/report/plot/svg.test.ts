import { expect, test } from "vitest";
import { expectWellFormed } from "../testing/well-formed.ts";
import type { Figure } from "./figure.ts";
import { svgOf } from "./svg.ts";

const HOSTILE = `</title><script>alert("1")</script>&amp;'\u0000\u202e\ud800`;

const figure: Figure = {
  title: HOSTILE,
  description: HOSTILE,
  fromMs: 0,
  toMs: 90_000,
  since: "its first traffic",
  marks: [{ at: 60_000, label: HOSTILE, tone: "bad" }],
  panels: [
    {
      title: "Failed requests, as a share",
      least: 0.1,
      most: 1,
      tick: (value) => `${String(Math.round(value * 100))} %`,
      level: { at: 0.05, label: "limit" },
      lines: [
        {
          label: HOSTILE,
          tone: "green",
          points: [
            [0, 0],
            [10_000, 0.5],
            [20_000, null],
            [90_000, 3],
          ],
        },
        { label: "one point", tone: "blue", dashed: true, points: [[5_000, 0.1]] },
        { label: "none", tone: "muted", points: [] },
      ],
    },
  ],
};

test("a picture is well-formed whatever it is about, and fetches nothing", () => {
  const svg = svgOf(figure, 860);
  expectWellFormed(svg);
  expect(svg).not.toContain("<script");
  expect(svg).toContain("&lt;script&gt;");
  expect(svg.match(/https?:\/\/[^"]*/g)).toEqual(["http://www.w3.org/2000/svg"]);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});

test("its axes say what is shown, in round numbers of a fitting unit", () => {
  const labels = [...svgOf(figure, 860).matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]);
  expect(labels).toEqual(
    expect.arrayContaining(["Failed requests, as a share", "0 %", "100 %", "30", "s since its first traffic", "limit"]),
  );
  const hours = svgOf({ ...figure, toMs: 5 * 3_600_000 }, 380);
  expect(hours).toContain("h since its first traffic");
  expectWellFormed(hours);
});

test("nothing to draw is an empty picture, and no broken one", () => {
  const empty = svgOf(
    { ...figure, toMs: 0, marks: [], panels: figure.panels.map((panel) => ({ ...panel, lines: [] })) },
    380,
  );
  expectWellFormed(empty);
  expect(empty).not.toMatch(/NaN|undefined|Infinity/);
});
