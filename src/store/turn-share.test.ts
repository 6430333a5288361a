import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { TurnShare } from "./turn-share.ts";

test("what fits in the share runs at once, the rest in the turns after it, in order", async () => {
  let now = 0;
  const share = new TurnShare(4, () => now);
  const ran: number[] = [];
  const all = Array.from({ length: 10 }, (_, index) =>
    share.run(() => {
      now += 1.5;
      ran.push(index);
      return index;
    }),
  );
  expect(ran).toEqual([0, 1, 2]);
  await turn();
  expect(ran).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(ran).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a share that was used is there again in the next turn", async () => {
  let now = 0;
  const share = new TurnShare(4, () => now);
  const long = (): number => (now += 10);
  for (const expected of [10, 20]) {
    const answers: number[] = [];
    void share.run(long).then((answer) => answers.push(answer));
    await Promise.resolve();
    expect(answers).toEqual([expected]);
    await turn();
  }
});

test("a task that throws takes nothing from those after it", async () => {
  const share = new TurnShare(0, () => 0);
  const failing = share.run(() => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await share.run(() => "yes")).toBe("yes");
});
