import { describe, expect, test } from "vitest";
import { beyondAllowance, type Kill } from "./allowance.ts";
import type { LostExample } from "./ledger.ts";

const KILLED_AT = 100_000;
const proxy: Kill = { target: "proxy", at: KILLED_AT };
const app: Kill = { target: "app", at: KILLED_AT };

const cut: LostExample = {
  id: "1",
  kind: "get",
  method: "GET",
  beganAt: KILLED_AT - 10,
  at: KILLED_AT + 5,
  connection: 1,
  reason: "reset",
  detail: "ECONNRESET while waiting",
};
const order: LostExample = { ...cut, kind: "post", method: "POST", reason: "teal-error", detail: "502 bad-gateway" };

describe("after the death of a proxy", () => {
  test("one request per connection may be cut, and no more", () => {
    const [first, second, other] = [cut, { ...cut, id: "2" }, { ...cut, id: "3", connection: 2 }];
    expect(beyondAllowance([first, second, other], [proxy])).toEqual([second]);
    expect(beyondAllowance([first, second, other], [proxy, { ...proxy, at: KILLED_AT + 50 }])).toEqual([]);
  });

  test.each<Partial<LostExample>>([
    { reason: "refused" },
    { reason: "timeout" },
    { reason: "duplicated" },
    { reason: "vanished" },
    { reason: "wrong-body" },
    { reason: "teal-error", detail: "503 no-instance" },
    { connection: null },
    { at: KILLED_AT - 2_000 },
    { beganAt: KILLED_AT + 2_000, at: KILLED_AT + 3_000 },
  ])("nothing excuses %j", (change) => {
    const loss = { ...cut, beganAt: KILLED_AT - 2_500, ...change };
    expect(beyondAllowance([loss], [proxy])).toEqual([loss]);
  });
});

describe("after the death of an instance", () => {
  test("what had been written to it and may not be sent again is allowed", () => {
    expect(beyondAllowance([order, { ...order, id: "2" }, { ...cut, reason: "truncated" }], [app])).toEqual([]);
  });

  test.each<LostExample>([
    { ...order, method: "GET" },
    { ...order, detail: "503 no-instance" },
    { ...order, reason: "duplicated" },
    { ...order, beganAt: KILLED_AT + 2_000, at: KILLED_AT + 2_100 },
    cut,
  ])("nothing excuses %j", (loss) => {
    expect(beyondAllowance([loss], [app])).toEqual([loss]);
  });
});

test("without a kill nothing is allowed", () => {
  expect(beyondAllowance([cut, order], [])).toEqual([cut, order]);
});
