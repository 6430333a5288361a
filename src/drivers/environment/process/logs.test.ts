import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../main/clock.ts";
import { environmentLogs } from "./logs.ts";

let folder: string;
let directory: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-logs-"));
  directory = join(folder, "web", "blue");
  mkdirSync(directory, { recursive: true });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const place = () => ({ folder, service: "web", environment: "blue" });
const line = (second: number, text: string): string => `${new Date(second * 1_000).toISOString()} ${text}\n`;
const write = (name: string, ...lines: string[]): void => {
  writeFileSync(join(directory, name), lines.join(""));
};
async function last(lines: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const { instance, text } of environmentLogs(
    place(),
    { lines, follow: false, signal: new AbortController().signal },
    systemClock,
  )) {
    texts.push(`${instance} ${text}`);
  }
  return texts;
}

test("nothing was ever written: nothing is read", async () => {
  rmSync(directory, { recursive: true });
  expect(await last(10)).toEqual([]);
});

test("instances are merged by time, and only the last lines are given", async () => {
  write("v1.0.log", line(1, "a"), line(3, "c"), line(5, "e"));
  write("v1.1.log", line(2, "b"), line(4, "d"));
  expect(await last(3)).toEqual(["web/blue/v1/0 c", "web/blue/v1/1 d", "web/blue/v1/0 e"]);
  expect(await last(100)).toHaveLength(5);
  expect(await last(0)).toEqual([]);
});

test("a release's name may have dots, and rotated files go on before the current one", async () => {
  write("v1.0.2.1.log", line(3, "c"));
  write("v1.0.2.1.log.1", line(2, "b"));
  write("v1.0.2.1.log.2", line(1, "a"));
  expect(await last(2)).toEqual(["web/blue/v1.0.2/1 b", "web/blue/v1.0.2/1 c"]);
  expect(await last(9)).toHaveLength(3);
});

test("files of long ago are left alone when the newer have enough", async () => {
  write("old.0.log", line(1, "old"));
  utimesSync(join(directory, "old.0.log"), 1, 1);
  write("v1.0.log", line(5, "a"), line(6, "b"));
  expect(await last(2)).toEqual(["web/blue/v1/0 a", "web/blue/v1/0 b"]);
  expect(await last(3)).toHaveLength(3);
});

test("long files are read from their end; broken lines are left out", async () => {
  const many = Array.from({ length: 5_000 }, (_, index) => line(index, `${"x".repeat(100)} ${String(index)}`));
  write("v1.0.log", ...many, "half a line\n", line(6_000, "end"));
  const texts = await last(1_000);
  // The broken one is counted by the reader of the file, and left out after that.
  expect(texts).toHaveLength(999);
  expect(texts.at(-1)).toBe("web/blue/v1/0 end");
});

test("follows across a rotation and to instances that come later", async () => {
  write("v1.0.log", line(1, "a"));
  const stop = new AbortController();
  const texts: string[] = [];
  const reading = (async () => {
    for await (const { text } of environmentLogs(
      place(),
      { lines: 10, follow: true, signal: stop.signal },
      systemClock,
    ))
      texts.push(text);
  })();
  await expect.poll(() => texts).toEqual(["a"]);
  const path = join(directory, "v1.0.log");
  appendFileSync(path, line(2, "b"));
  renameSync(path, `${path}.1`);
  write("v1.0.log", line(3, "c"));
  await expect.poll(() => texts).toEqual(["a", "b", "c"]);
  write("v2.0.log", line(4, "d").slice(0, 10));
  appendFileSync(join(directory, "v2.0.log"), line(4, "d").slice(10));
  await expect.poll(() => texts).toEqual(["a", "b", "c", "d"]);
  stop.abort();
  await reading;
});
