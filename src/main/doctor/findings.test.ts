import { expect, test } from "vitest";
import { clockFinding, filesFinding, nodeVersion, openFileLimit } from "./machine.ts";
import { space } from "./state-directory.ts";
import { sessionFinding, unitFinding, unitOf } from "./unit.ts";

const MIB = 1_048_576;

test("a Node that is too old is a problem", () => {
  expect([nodeVersion("23.9.0").state, nodeVersion("24.0.0").state]).toEqual(["problem", "ok"]);
});

test("little room is a warning, hardly any a problem, and so are inodes that run out", () => {
  const state = (mib: number, ffree: number, files: number): string =>
    space({ bavail: mib, bsize: MIB, ffree, files }).state;
  expect([state(512, 9_999, 10_000), state(511, 9_999, 10_000), state(63, 9_999, 10_000)]).toEqual([
    "ok",
    "warning",
    "problem",
  ]);
  expect([state(9_999, 999, 10_000), state(9_999, 0, 0)]).toEqual(["problem", "ok"]);
});

test("the limit of open files is the soft one, and a process near it is told", () => {
  const limits =
    "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 524288               files\n";
  expect(openFileLimit(limits)).toBe(1_024);
  expect(openFileLimit("Max open files            unlimited            unlimited            files\n")).toBe(Infinity);
  const states = [filesFinding("p", 10, 65_536), filesFinding("p", 10, 1_024), filesFinding("p", 60_000, 65_536)];
  expect(states.map(({ state }) => state)).toEqual(["ok", "warning", "problem"]);
});

test("a clock behind what was written is a problem, but not within a minute of it", () => {
  expect([clockFinding(1_000, [], 61_000).state, clockFinding(1_000, [], 61_001).state]).toEqual(["ok", "problem"]);
});

test("the unit of a process is the innermost of its control group", () => {
  expect(unitOf("0::/system.slice/teal.service\n")).toEqual({ name: "teal.service", user: false });
  const user = "/user.slice/user-1000.slice/user@1000.service";
  expect(unitOf(`0::${user}/app.slice/teal.service\n`)).toEqual({ name: "teal.service", user: true });
  expect(unitOf("12:pids:/x\n1:name=systemd:/user.slice/user-1000.slice/session-3.scope\n")).toEqual({
    name: "session-3.scope",
    user: false,
  });
  expect(unitOf("0::/\n")).toEqual({ name: null, user: false });
  expect(unitOf("9:name=systemd:/\n0::/system.slice/teal.service\n").name).toBe("teal.service");
});

test("a unit that would end the apps with Teal is a problem, and a session a warning", () => {
  expect(unitFinding("teal.service", "KillMode=process\nActiveState=active\n").state).toBe("ok");
  expect(unitFinding("teal.service", "KillMode=control-group\nActiveState=active\n")).toMatchObject({
    state: "problem",
    remedy: expect.stringContaining("KillMode=process"),
  });
  expect(unitFinding("teal.service", "KillMode=process\nActiveState=failed\n").state).toBe("warning");
  expect(sessionFinding("session-3.scope").state).toBe("warning");
});
