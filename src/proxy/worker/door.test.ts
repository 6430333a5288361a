import { expect, test } from "vitest";
import { DOOR, readDoor } from "../door-cells.ts";
import { Door } from "./door.ts";

function doors(more: { connections?: number; lines?: number } = {}) {
  const cells = new Float64Array(2 * DOOR.length);
  const lines: string[] = [];
  const clock = { now: 0 };
  const make = (index: number): Door =>
    new Door({
      cells,
      index,
      connections: 3,
      lines: 2,
      now: () => clock.now,
      log: (line) => lines.push(line),
      ...more,
    });
  return { cells, lines, clock, first: make(0), second: make(1) };
}

test("connections are counted over all workers, and so is their limit", () => {
  const { cells, first, second } = doors({ connections: 2 });
  expect([first.opened("a"), second.opened("b"), first.opened("c"), second.opened("d")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  second.closed();
  expect(first.opened("e")).toBe(true);
  const { accepted, open, refused } = readDoor(cells);
  expect([accepted, open, refused["connection-limit"]]).toEqual([3, 2, 2]);
});

test("each reason has a counter of its own", () => {
  const { cells, first, second } = doors();
  first.refused("tls", "192.0.2.1", "");
  second.refused("tls", "192.0.2.1", "");
  second.refused("bad-answer", "127.0.0.1:80", "");
  const { refused } = readDoor(cells);
  expect(Object.entries(refused).filter(([, count]) => count > 0)).toEqual([
    ["tls", 2],
    ["bad-answer", 1],
  ]);
});

test("so many lines a minute, and how many were left out", () => {
  const { lines, clock, first, cells } = doors();
  for (let n = 0; n < 5; n += 1) first.refused("bad-request", "192.0.2.1", "no Host");
  first.refused("maintenance", "192.0.2.1", "");
  clock.now = 59_999;
  first.refused("bad-request", "192.0.2.1", "no Host");
  expect(lines).toEqual(["refused 192.0.2.1: bad-request: no Host", "refused 192.0.2.1: bad-request: no Host"]);
  clock.now = 60_000;
  first.refused("tls", "192.0.2.2", "");
  expect(lines.slice(2)).toEqual(["refused 4 more, untold", "refused 192.0.2.2: tls"]);
  expect(readDoor(cells).refused["maintenance"]).toBe(1);
});

test("no line when none is wanted", () => {
  const { lines, first } = doors({ lines: 0 });
  first.refused("bad-request", "192.0.2.1", "no Host");
  expect(lines).toEqual([]);
});
