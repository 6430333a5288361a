import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { memoryTokens } from "../engine/testing/memory-tokens.ts";
import { createServer } from "./server.ts";
import { listenOnSocket } from "./listen.ts";
import { AT, MemoryControl, memoryEvent } from "./testing/memory-control.ts";

const noTokens = { tokens: await memoryTokens(), reach: async () => ({ address: null, problem: null }) };

let folder: string;
let socket: string;
let control: MemoryControl;
let app: FastifyInstance;
let reported: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "teal-api-"));
  socket = join(folder, "teal.sock");
  control = new MemoryControl();
  reported = [];
  app = createServer(control, {
    version: "1",
    listeners: async () => [],
    metrics: async () => "",
    ...noTokens,
    heartbeatMs: 20,
    report: (error) => reported.push(String(error.cause)),
  });
  await listenOnSocket(app, socket);
});
afterEach(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One streamed answer, and what of it has arrived. */
class Reading {
  text = "";
  ended: "open" | "complete" | "cut" = "open";
  readonly response: IncomingMessage;

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      this.text += chunk;
    });
    response.on("end", () => {
      this.ended = "complete";
    });
    // A cut answer is what some tests are about.
    response.on("error", () => {
      this.ended = "cut";
    });
  }

  /** The stream without its signs of life. */
  get frames(): string[] {
    return this.text.split("\n\n").filter((frame) => frame !== "" && !frame.startsWith(":"));
  }
}

function get(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ socketPath: socket, path, headers, agent: false }, resolve).on("error", reject).end();
  });
}

const read = async (path: string, headers?: Record<string, string>): Promise<Reading> =>
  new Reading(await get(path, headers));
const seqs = (reading: Reading): number[] => reading.frames.map((frame) => Number(/^id: (\d+)/.exec(frame)?.[1]));

test("events go out as server-sent events, and on as they come", async () => {
  control.emit(memoryEvent(1));
  control.emit({ ...memoryEvent(2), step: "shift-10", type: "step-started" });
  const reading = await read("/v1/events?after=0");
  expect(reading.response.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
  await vi.waitFor(() => expect(seqs(reading)).toEqual([1, 2]));
  const data = {
    seq: 2,
    at: AT + 2,
    service: "web",
    deployment: null,
    type: "step-started",
    step: "shift-10",
    data: { text: "x" },
  };
  expect(reading.frames[1]).toBe(`id: 2\nevent: step-started\ndata: ${JSON.stringify(data)}`);
  control.emit(memoryEvent(3, "line\nbreak"));
  await vi.waitFor(() => expect(seqs(reading)).toEqual([1, 2, 3]));
  expect(reading.frames[2]?.split("\n")).toHaveLength(3);
  reading.response.destroy();
});

test("where a stream begins: Last-Event-ID, else after, else now; without follow from the first to the newest", async () => {
  for (const seq of [1, 2, 3]) control.emit(memoryEvent(seq));
  const ended = async (path: string, headers?: Record<string, string>): Promise<number[]> => {
    const reading = await read(path, headers);
    await vi.waitFor(() => expect(reading.ended).toBe("complete"));
    return seqs(reading);
  };
  expect(await ended("/v1/events?follow=false")).toEqual([1, 2, 3]);
  expect(await ended("/v1/events?follow=false&after=1")).toEqual([2, 3]);
  expect(await ended("/v1/events?follow=false&after=1", { "Last-Event-ID": "2" })).toEqual([3]);
  const now = await read("/v1/events");
  control.emit(memoryEvent(4));
  await vi.waitFor(() => expect(seqs(now)).toEqual([4]));
  now.response.destroy();
});

test("a stream without events stands at once and gives signs of life", async () => {
  const reading = await read("/v1/events");
  await vi.waitFor(() => expect(reading.text).toMatch(/^: open\n\n(: still here\n\n){2}/));
  reading.response.destroy();
});

test("when the client goes, the engine's stream ends", async () => {
  const reading = await read("/v1/events");
  const signal = control.streams[0];
  expect(signal?.aborted).toBe(false);
  reading.response.destroy();
  await vi.waitFor(() => expect(signal?.aborted).toBe(true));
  expect(reported).toEqual([]);
});

test("closing ends the streams in good order", async () => {
  const events = await read("/v1/events");
  const logs = await read("/v1/services/web/logs?follow=true");
  await app.close();
  await vi.waitFor(() => expect([events.ended, logs.ended]).toEqual(["complete", "complete"]));
  expect(control.streams.map((signal) => signal.aborted)).toEqual([true, true]);
  expect(reported).toEqual([]);
});

test("no more is taken from the engine than the client takes", async () => {
  const big = "x".repeat(64 * 1024);
  for (let seq = 1; seq <= 400; seq++) control.log.push(memoryEvent(seq, big));
  const response = await get("/v1/events?after=0&follow=false");
  let before = -1;
  await vi.waitFor(() => {
    const same = before === control.handedOut;
    before = control.handedOut;
    expect(same && before > 0).toBe(true);
  }, 20_000);
  expect(control.handedOut).toBeLessThan(200);
  const reading = new Reading(response);
  await vi.waitFor(() => expect(reading.ended).toBe("complete"), { timeout: 5_000 });
  expect(seqs(reading)).toHaveLength(400);
});

test("a failure at the start is a problem; one later cuts the stream, so that it is not taken for whole", async () => {
  const refused = await read("/v1/services/api/logs");
  await vi.waitFor(() => expect(refused.ended).toBe("complete"));
  expect([refused.response.statusCode, JSON.parse(refused.text)]).toMatchObject([404, { code: "service-unknown" }]);

  control.emit(memoryEvent(1));
  const cut = await read("/v1/events?after=0");
  await vi.waitFor(() => expect(seqs(cut)).toEqual([1]));
  control.failure = new Error("the disk is gone");
  control.wake();
  await vi.waitFor(() => expect(cut.ended).toBe("cut"));
  expect(reported).toEqual(["Error: the disk is gone"]);
});

test("logs are one JSON object a line", async () => {
  control.lines.push(
    { at: AT, instance: "web/blue/v1/0", text: "a\nb" },
    { at: AT + 1, instance: "web/blue/v1/0", text: "c" },
  );
  const reading = await read("/v1/services/web/logs?lines=2&environment=blue");
  await vi.waitFor(() => expect(reading.ended).toBe("complete"));
  expect(reading.response.headers["content-type"]).toBe("application/x-ndjson; charset=utf-8");
  const lines = reading.text.split("\n").filter((line) => line !== "");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(control.lines);
  expect(control.asked.at(-1)).toEqual({
    method: "logs",
    values: ["web", { environment: "blue", lines: 2, follow: false }],
  });
});

test("followed logs stand before the first line, and before the first sign of life", async () => {
  const quiet = createServer(control, {
    version: "1",
    listeners: async () => [],
    metrics: async () => "",
    ...noTokens,
  });
  await listenOnSocket(quiet, socket);
  const followed = await read("/v1/services/web/logs?follow=true");
  expect([followed.response.statusCode, followed.text]).toEqual([200, ""]);
  followed.response.destroy();
  await vi.waitFor(() => expect(control.streams[0]?.aborted).toBe(true));
  await quiet.close();
});

test("the socket is this user's alone, and one that a dead server left is replaced", async () => {
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  const left = join(folder, "left.sock");
  writeFileSync(left, "");
  const next = createServer(control, { version: "2", listeners: async () => [], metrics: async () => "", ...noTokens });
  await listenOnSocket(next, left);
  expect(statSync(left).isSocket()).toBe(true);
  await next.close();
  const nowhere = createServer(control, {
    version: "2",
    listeners: async () => [],
    metrics: async () => "",
    ...noTokens,
  });
  await expect(listenOnSocket(nowhere, join(folder, "no", "x.sock"))).rejects.toMatchObject({
    code: "state-directory",
  });
  await nowhere.close();
});
