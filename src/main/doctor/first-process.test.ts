import { expect, test } from "vitest";
import { firstProcess } from "./first-process.ts";

const TEAL = ["node", "--no-warnings", "/usr/local/bin/teal", "--config", "/srv/teal.yaml", "up"];

test("zombies are counted where teal up is the first process", () => {
  expect(firstProcess(TEAL, () => [12, 31])).toMatchObject([
    {
      check: "zombies",
      state: "warning",
      message: expect.stringMatching(/^2: /),
      remedy: expect.stringMatching(/init/),
    },
  ]);
  expect(firstProcess(["node", "/app/bin/teal.js", "up"], () => [])).toMatchObject([{ state: "ok", remedy: null }]);
});

test("of another first process nothing is said", () => {
  const none = (): never => expect.unreachable("nobody's zombies are counted");
  for (const command of [
    [],
    ["/sbin/init"],
    ["tini", "--", "node", "/app/bin/teal.js", "up"],
    ["node", "/srv/steal", "up"],
    ["node", "/bin/teal", "down"],
  ])
    expect(firstProcess(command, none)).toEqual([]);
});
