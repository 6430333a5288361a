import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../engine/testing/manual-clock.ts";
import { HeldThreads } from "./held-threads.ts";
import { turn } from "./plane-harness.ts";
import { Snapshot } from "./snapshot.ts";
import { EMPTY_REGISTER } from "./split-register.ts";

const WEB = { service: "web", table: null, register: EMPTY_REGISTER, maintenance: null };

let folder: string;
let clock: ManualClock;
const lines: string[] = [];
const made = (path: string): Snapshot => new Snapshot(join(folder, path), clock, (line) => lines.push(line));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-snapshot-"));
  clock = new ManualClock();
  lines.length = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("what is saved durably is on the disk; not where the disk takes longer than one may wait, or there is none", async () => {
  const snapshot = made("proxy.snapshot");
  expect(await snapshot.saveDurably(WEB, 2_000)).toBe(true);
  await using threads = new HeldThreads(folder);
  threads.hold();
  const late = snapshot.saveDurably(WEB, 2_000);
  await turn();
  clock.advance(2_000);
  expect(await late).toBe(false);
  await threads.letGo();
  expect(await snapshot.saveDurably(WEB, 2_000)).toBe(true);
  expect(lines).toEqual([]);
  expect(await made("none/proxy.snapshot").saveDurably(WEB, 2_000)).toBe(false);
});

test("a proxy that drains says nothing of a file that is another's", async () => {
  const snapshot = made("proxy.snapshot");
  snapshot.stopWriting();
  expect(await snapshot.saveDurably(WEB, 2_000)).toBeNull();
  expect(made("proxy.snapshot").load()).toEqual([]);
});
