import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DOOR } from "../door-cells.ts";
import { AccessBatch } from "./access-batch.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function batch() {
  const row = new Float64Array(DOOR.length);
  const sent: { text: string; lines: number }[] = [];
  const clock = { now: 5_000 };
  const sink = new AccessBatch({
    row,
    now: () => clock.now,
    wallNow: () => 1_700_000_000_000,
    send: (text, lines) => sent.push({ text, lines }),
  });
  const log = (path = "/"): void => {
    sink.end(Object.assign(sink.begin(), { path }));
  };
  return { row, sent, clock, sink, log };
}

test("a line says all that is known, and is one line whatever a client sends", () => {
  const { sink, sent, clock } = batch();
  const entry = sink.begin();
  Object.assign(entry, {
    client: "192.0.2.1",
    method: "GET",
    path: '/a"\\',
    service: "web",
    status: 200,
    waitMs: 1.23456,
  });
  clock.now += 12.3456;
  sink.end(entry);
  sink.flush();
  expect(sent).toHaveLength(1);
  expect(sent[0]?.text.indexOf("\n")).toBe((sent[0]?.text.length ?? 0) - 1);
  expect(JSON.parse(sent[0]?.text ?? "")).toEqual({
    time: "2023-11-14T22:13:20.000Z",
    service: "web",
    environment: null,
    instance: null,
    release: null,
    client: "192.0.2.1",
    method: "GET",
    host: null,
    path: '/a"\\',
    status: 200,
    bytesIn: 0,
    bytesOut: 0,
    durationMs: 12.35,
    waitMs: 1.23,
    responseMs: null,
    requestId: null,
    retries: 0,
    rescued: false,
    held: false,
    tealError: null,
    aborted: false,
  });
});

test("a client that left before any answer is a 499", () => {
  const { sink, sent } = batch();
  sink.end(sink.begin());
  sink.flush();
  expect(JSON.parse(sent[0]?.text ?? "")).toMatchObject({ status: 499 });
});

test("lines go together, after a while or when there are many", () => {
  const { sent, log } = batch();
  log();
  log();
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(sent.map(({ lines }) => lines)).toEqual([2]);
  log("/".padEnd(70_000, "x"));
  expect(sent.map(({ lines }) => lines)).toEqual([2, 1]);
});

test("while nobody answers, what waits is bounded; what is beyond is dropped and counted", () => {
  const { row, sent, sink, log } = batch();
  const long = "/".padEnd(65_536, "x");
  for (let n = 0; n < 40; n += 1) log(long);
  expect(sent).toHaveLength(4);
  expect(row[DOOR.dropped]).toBeGreaterThan(15);
  const waiting = 36 - (row[DOOR.dropped] ?? 0);
  sink.answered(1, true);
  expect(sent[4]?.lines).toBe(waiting);
  sink.answered(1, false);
  expect([row[DOOR.logged], row[DOOR.dropped]]).toEqual([1, 36 - waiting + 1]);
});
