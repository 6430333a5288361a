import { describe, expect, it } from "vitest";
import { EVENT_TYPES } from "../../model/event.ts";
import { event } from "../../sdk/fixtures.ts";
import { receipt } from "../fixtures.ts";
import { styleFor } from "../style.ts";
import { duration, parseDuration, relative, stopwatch } from "./duration.ts";
import { eventLine } from "./event.ts";
import { receiptLine } from "./receipt.ts";
import { cut, table, width, wrap } from "./table.ts";
import { split, splitBar } from "./weights.ts";

const style = styleFor({ write: () => undefined, terminal: false, columns: 80, rows: 24 }, {});

describe("durations", () => {
  it.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [1_240, "1.2 s"],
    [47_400, "47 s"],
    [60_000, "1 min"],
    [200_000, "3 min 20 s"],
    [23 * 3_600_000, "23 h"],
    [24.5 * 3_600_000, "24 h 30 min"],
    [3 * 86_400_000, "3 d"],
  ])("%i ms is %s", (ms, words) => {
    expect(duration(ms)).toBe(words);
  });

  it("run as a clock", () => {
    expect([7_900, 760_000, 3_723_000].map(stopwatch)).toEqual(["0:07", "12:40", "1:02:03"]);
  });

  it("are read as teal.yaml writes them", () => {
    expect(["500ms", "1.5s", "5m", "24h", "2d"].map(parseDuration)).toEqual([
      500, 1_500, 300_000, 86_400_000, 172_800_000,
    ]);
    expect(["", "5", "s", "-1s", "1 s", "1w"].map(parseDuration)).toEqual([null, null, null, null, null, null]);
  });

  it("are told from now", () => {
    expect(relative(0, 1_000)).toBe("just now");
    expect(relative(0, 180_000)).toBe("3 min ago");
    expect(relative(23 * 3_600_000, 0)).toBe("in 23 h");
  });
});

describe("receipts", () => {
  it("tell a whole switch, a part of it, and other instances", () => {
    expect(receiptLine(receipt())).toBe("switched blue → green: 12 in flight, 12 drained, 0 cut, failed or refused");
    expect(receiptLine(receipt({ to: { blue: 90, green: 10 }, held: 3 }))).toBe(
      "blue 90 %, green 10 %: 12 in flight, 12 drained, 3 held, 0 cut, failed or refused",
    );
    expect(receiptLine(receipt({ to: { blue: 100, green: 0 } }))).toMatch(/^still blue 100 %, other instances: /);
    expect(receiptLine(receipt({ from: {} }))).toMatch(/^green 100 %: /);
  });

  it("hide no harm, and say when they are not final", () => {
    expect(receiptLine(receipt({ cut: 1, kernelRefused: 2, final: false }))).toMatch(
      /1 cut, 2 refused by the kernel \(still draining\)$/,
    );
  });
});

describe("events", () => {
  it.each(EVENT_TYPES)("%s has words, also without data", (type) => {
    expect(eventLine(event(1, type, {}))).not.toBe("");
  });

  it("of steps have their title from where it was told", () => {
    const titles = new Map([["dep_1 start", "Start 2 instances"]]);
    expect(eventLine(event(1, "step-completed", { tookMs: 40 }, "start"), titles)).toBe(
      "Start 2 instances: done in 40 ms",
    );
  });
});

describe("text", () => {
  const red = styleFor({ write: () => undefined, terminal: true, columns: 80, rows: 24 }, { TERM: "xterm" }).bad("red");

  it("is measured without its colours", () => {
    expect(width(red)).toBe(3);
    expect(
      table([
        [red, "b"],
        ["longer", "c"],
      ]).map(width),
    ).toEqual([9, 9]);
  });

  it("is cut with an ellipsis and leaks no colour", () => {
    expect(cut("abcdef", 4)).toBe("abc…");
    expect(cut(`${red}${red}`, 4)).toBe("red…");
  });

  it("is wrapped between words", () => {
    expect(wrap("one two three four", 11, "  ", "    ")).toEqual(["  one two", "    three", "    four"]);
    expect(wrap("unbreakable", 5, "", "")).toEqual(["unbreakable"]);
  });
});

describe("splits", () => {
  it("leave out who has nothing", () => {
    expect(split({ blue: 100, green: 0 })).toBe("blue 100 %");
    expect(split({})).toBe("nowhere");
  });

  it.each([[{ blue: 100, green: 0 }], [{ blue: 99, green: 1 }], [{ a: 33, b: 33, c: 34 }], [{ blue: 1, green: 99 }]])(
    "%j fills the bar exactly, and nobody with traffic is invisible",
    (weights) => {
      const marks = splitBar(weights, 20, style).match(/[█▓▒░]/g) ?? [];
      expect(marks.length).toBe(20);
      expect(new Set(marks).size).toBe(Object.values(weights).filter((weight) => weight > 0).length);
    },
  );
});
