import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NO_TRAFFIC } from "../analysis/counters.ts";
import { temporaryFolder } from "../store/temporary.ts";
import { ProxyTotals } from "./proxy-totals.ts";

let folder: ReturnType<typeof temporaryFolder>;
let now: number;
let problems: string[];
/** Ends every wait that is under way. */
let pass: () => Promise<void>;
beforeEach(() => {
  folder = temporaryFolder();
  now = 1_000_000;
  problems = [];
});
afterEach(() => {
  folder[Symbol.dispose]();
});

const file = (): string => join(folder.path, "proxy-counts.json");
function totals(): ProxyTotals {
  const report = (_problem: unknown, about: object): void => void problems.push(JSON.stringify(about));
  const waits: (() => void)[] = [];
  pass = async () => {
    for (const end of waits.splice(0)) end();
    await new Promise(setImmediate);
  };
  const sleep = (): Promise<void> => new Promise((resolve) => waits.push(resolve));
  return new ProxyTotals({ file: file(), clock: { now: () => now, sleep }, report });
}

function tell(to: ProxyTotals, epoch: string, requests: number, switches = 0, inFlight = 0): void {
  to.add({
    service: "web",
    epoch,
    at: now,
    switches,
    environments: { blue: { ...NO_TRAFFIC, held: 0, ejections: 0, latencySumMs: 0, requests, inFlight } },
  });
}

const shown = (of: ProxyTotals) =>
  of.samples().map(({ switches, environments }) => ({
    switches,
    requests: environments["blue"]?.requests,
    inFlight: environments["blue"]?.inFlight,
  }));

test("a proxy that takes another's place goes on with its counts; both are added up while one drains", () => {
  const all = totals();
  tell(all, "old", 100, 3, 5);
  expect(shown(all)).toEqual([{ switches: 3, requests: 100, inFlight: 5 }]);
  tell(all, "new", 0);
  tell(all, "new", 7, 1, 2);
  tell(all, "old", 102, 4, 4);
  expect(shown(all)).toEqual([{ switches: 4, requests: 109, inFlight: 6 }]);
  now += 10_001;
  tell(all, "new", 50, 2, 1);
  expect(shown(all)).toEqual([{ switches: 5, requests: 152, inFlight: 1 }]);
});

test("the next server goes on with the counts, of proxies that ended meanwhile too", async () => {
  const first = totals();
  tell(first, "old", 100, 3);
  tell(first, "new", 7);
  await first.save();
  const second = totals();
  now += 10_001;
  tell(second, "new", 9, 1);
  expect(shown(second)).toEqual([{ switches: 4, requests: 109, inFlight: 0 }]);
});

test("however many proxies have come and gone, nothing of their counts is lost", async () => {
  const all = totals();
  for (let n = 0; n < 40; n += 1) {
    tell(all, `epoch ${String(n)}`, 10, 1);
    now += 10_001;
    await pass();
  }
  await all.save();
  const again = totals();
  tell(again, "last", 1, 1);
  expect(shown(again)).toEqual([{ switches: 41, requests: 401, inFlight: 0 }]);
});

test("what is heard of many services at once is written once, soon", async () => {
  const all = totals();
  for (let n = 0; n < 3; n += 1) tell(all, `epoch ${String(n)}`, 10);
  expect(existsSync(file())).toBe(false);
  await pass();
  await expect.poll(() => existsSync(file())).toBe(true);
  expect(readFileSync(file(), "utf8").split('"epoch":')).toHaveLength(4);
});

test("nothing is told when no proxy tells anything", () => {
  const all = totals();
  tell(all, "old", 1);
  now += 10_001;
  expect(all.samples()).toEqual([]);
});

test("a file that cannot be read is said, and counting begins anew", () => {
  writeFileSync(file(), "{");
  const all = totals();
  expect(problems).toHaveLength(1);
  tell(all, "old", 1);
  expect(shown(all)).toEqual([{ switches: 0, requests: 1, inFlight: 0 }]);
});
