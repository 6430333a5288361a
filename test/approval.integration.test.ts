import { expect, test } from "vitest";
import type { ApprovedAnswer } from "../src/api/answers.ts";
import { Site } from "./site.ts";

const GATED = { deploy: { approval: "beforeShift" } };

test("a deploy waits for an approval, through a crash of the server, until somebody gives it", async () => {
  await using site = await Site.up();
  expect((await site.deployed("v1")).state).toBe("completed");
  await site.configure(GATED);

  const started = await site.cli("deploy", "--version", "v2", "--no-wait", "--json");
  expect(started.code).toBe(5);
  const { id, state } = JSON.parse(started.stdout) as { id: string; state: string };
  expect(state).toBe("waiting");
  expect((await site.service()).traffic).toMatchObject({ blue: 100 });

  const { server } = await site.pids();
  if (server === null) throw new Error("no server runs");
  process.kill(server, "SIGKILL");
  await site.until("another server serves", async () => {
    const now = (await site.pids()).server;
    return now !== null && now !== server && (await site.service()).deployment?.state === "waiting";
  });

  const approved = await site.cli("approve", "web", "--reason", "checked", "--json");
  expect(approved.code).toBe(0);
  expect(JSON.parse(approved.stdout)).toMatchObject({ id, service: "web", reason: "checked", repeated: false });
  const again = await site.cli("approve", id, "--json");
  expect(again.code).toBe(0);
  expect(JSON.parse(again.stdout) as ApprovedAnswer).toMatchObject({ reason: "checked", repeated: true });
  expect((await site.ended(id)).state).toBe("completed");
  const late = await site.cli("approve");
  expect([late.code, late.stderr]).toEqual([6, expect.stringContaining("nothing-to-approve")]);
});

test("a pipe waits for the approval, and a rejection is an abort with its reason", async () => {
  await using site = await Site.up(GATED);
  const waiting = site.cli("deploy", "--version", "v1");
  await site.until("it waits", async () => (await site.service()).deployment?.state === "waiting");
  expect((await site.cli("abort", "--reason", "not today")).code).toBe(0);
  const { code, stdout } = await waiting;
  expect(code).toBe(4);
  expect(stdout).toMatch(/waits for an approval: `teal approve`/);
  expect(stdout).toMatch(/not today/);
});
