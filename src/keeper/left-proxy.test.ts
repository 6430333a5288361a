import { expect, test } from "vitest";
import { keeperOfProxy, leftProxy } from "./left-proxy.ts";
import type { ProcessStat } from "../wire/process-stat.ts";

const process = (pid: number, parent: number, startTicks = pid): ProcessStat => ({
  pid,
  parent,
  group: pid,
  session: pid,
  startTicks,
  state: "S",
  cpuTicks: 0,
});

const SELF = process(90, 1);

test("the keeper is the one that started the proxy", () => {
  expect(keeperOfProxy(process(30, 20), [process(20, 1), SELF], SELF)).toBe(20);
});

test("after a takeover it is the one that the proxy has started, whoever has taken in the proxy since", () => {
  for (const parent of [1, 7]) expect(keeperOfProxy(process(30, parent), [process(40, 30), SELF], SELF)).toBe(40);
  // Of both, the parent: the child of a proxy that a keeper has started was refused.
  expect(keeperOfProxy(process(30, 20), [process(40, 30), process(20, 1)], SELF)).toBe(20);
});

test("a keeper that is no kin of the proxy, has come later, or is the one that asks is not it", () => {
  const proxy = process(30, 1);
  expect(keeperOfProxy(proxy, [process(50, 31), process(60, 1)], SELF)).toBeNull();
  // A keeper that the proxy starts at this moment; pids may have begun anew.
  expect(keeperOfProxy(proxy, [process(40, 30, 91)], SELF)).toBeNull();
  expect(keeperOfProxy(process(30, 90), [SELF], SELF)).toBeNull();
});

test("the remedy ends the keeper where there is one, and else waits", () => {
  expect(leftProxy(30, 20).remedy).toContain("kill 20");
  expect(leftProxy(30, null)).toMatchObject({
    code: "keeper-down",
    remedy: expect.stringMatching(/again in a few seconds.*kill 30/),
  });
});
