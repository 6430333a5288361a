import { expect, test } from "vitest";
import { TealError } from "../model/error.ts";
import { knownListeners } from "./known-listeners.ts";

test("a keeper that is away is not waited for: what it last said is the answer, and the failure is told", async () => {
  const there = [{ listen: "127.0.0.1:8080", address: "127.0.0.1:8080" }];
  const down = new TealError("keeper-down", "no connection");
  const problems: TealError[] = [];
  let isDown = false;
  const listeners = knownListeners(
    ({ timeoutMs }) => {
      expect(timeoutMs).toBeLessThanOrEqual(1_000);
      return isDown ? Promise.reject(down) : Promise.resolve({ listeners: there });
    },
    (problem) => problems.push(problem),
  );
  expect(await listeners()).toEqual(there);
  isDown = true;
  expect(await listeners()).toEqual(there);
  expect(problems).toEqual([down]);
});
