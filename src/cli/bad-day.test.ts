import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { problem } from "../sdk/fixtures.ts";
import { CliRig, deployment, receipt, serviceStatus, status } from "./fixtures.ts";

let rig: CliRig;
beforeEach(async () => {
  rig = await CliRig.start();
});
afterEach(() => rig.close());

describe("approve", () => {
  const approved = { id: "dep_1", service: "web", state: "waiting", by: "ann", reason: null, at: 1_700_000_000_000 };
  const waiting = {
    id: "dep_1",
    goal: "deploy" as const,
    state: "waiting" as const,
    step: "approval",
    startedAt: null,
    hold: null,
  };

  it("approves the one that waits, by service, by id or without either, and says who was first", async () => {
    rig.server.json("GET /v1/status", status(serviceStatus("api"), serviceStatus("web", { deployment: waiting })));
    rig.server.json("POST /v1/deployments/dep_1/approve", { ...approved, repeated: false });
    for (const named of [[], ["web"], ["dep_1"]]) {
      const { exit, stdout } = await rig.run(["approve", ...named, "--reason", "checked"]);
      expect([exit, stdout]).toEqual([0, expect.stringContaining("dep_1 of web is approved")]);
      expect(rig.server.asked.at(-1)?.body).toEqual({ reason: "checked" });
    }
    rig.server.json("POST /v1/deployments/dep_1/approve", { ...approved, repeated: true });
    const again = await rig.run(["approve"]);
    expect([again.exit, again.stdout]).toEqual([0, expect.stringMatching(/had been approved by ann at 2023.*nothing/)]);
    expect(JSON.parse((await rig.run(["approve", "--json"])).stdout)).toEqual({ ...approved, repeated: true });
  });

  it("is exit 6 when nothing is under way", async () => {
    const { exit, stderr } = await rig.run(["approve"]);
    expect([exit, stderr]).toEqual([6, expect.stringContaining("nothing-to-approve")]);
  });
});

describe("a token that may not", () => {
  it.each(["abort", "approve", "resume", "rollback"])("%s is exit 7, also when nothing is under way", async (verb) => {
    rig.server.json("GET /v1/status", { ...status(), permissions: ["read"] });
    const { exit, stderr } = await rig.run([verb]);
    expect([exit, stderr]).toEqual([7, expect.stringContaining("forbidden")]);
    rig.server.json("GET /v1/status", { ...status(), permissions: ["read", "deploy", "approve", "abort"] });
    rig.server.json("POST /v1/services/web/rollback", problem("nothing-to-roll-back-to", "v1 is the first", 409), 409);
    expect((await rig.run([verb])).exit).toBe(6);
  });
});

describe("abort --direct", () => {
  const done = {
    service: "web",
    deployment: "dep_1",
    weights: { blue: 100, green: 0 },
    reverted: true,
    proxies: 1,
    tookMs: 3,
    durable: true,
  };

  it("asks no server, says what to do next, and is exit 1 where the traffic stays", async () => {
    await rig.server.stop();
    let answer = done;
    rig.parts = { ...rig.parts, directAbort: () => Promise.resolve(answer) };
    const { exit, stdout } = await rig.run(["abort", "--direct"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(
      /The traffic is back \(3 ms, 1 proxy\)\. web: blue 100 %\.\n.*dep_1.*teal status.*\n.*teal up/,
    );
    expect(JSON.parse((await rig.run(["abort", "--direct", "--json"])).stdout)).toEqual(done);
    answer = { ...done, durable: false };
    const unsure = await rig.run(["abort", "--direct"]);
    expect([unsure.exit, unsure.stdout]).toEqual([
      0,
      expect.stringMatching(/is back.*\n.*disk.*power cut.*dep_1.*again/),
    ]);
    expect(JSON.parse((await rig.run(["abort", "--direct", "--json"])).stdout)).toEqual(answer);
    answer = { ...done, reverted: false, weights: { blue: 50, green: 50 } };
    expect(await rig.run(["abort", "--direct"])).toMatchObject({
      exit: 1,
      stdout: expect.stringContaining("going back would be worse"),
    });
  });
});

describe("resume and traffic", () => {
  const hold = { kind: "guardrail" as const, message: "p95 is 2 s", remedy: "`teal resume` goes on." };
  const held = {
    id: "dep_1",
    goal: "deploy" as const,
    state: "running" as const,
    step: "shift-10",
    startedAt: 1,
    hold,
  };

  it("status says what holds and the way out, and resume goes on", async () => {
    rig.server.json("GET /v1/status", status(serviceStatus("web", { deployment: held })));
    expect((await rig.run(["status"])).stdout).toMatch(/on hold +p95 is 2 s\. `teal resume` goes on\./);
    rig.server.json("POST /v1/deployments/dep_1/resume", deployment("running"));
    const { exit, stdout } = await rig.run(["resume", "--adopt", "--reason", "mine"]);
    expect([exit, stdout]).toEqual([0, expect.stringContaining("dep_1 of web goes on")]);
    expect(rig.server.asked.at(-1)?.body).toEqual({ reason: "mine", drift: "adopt" });
  });

  it("settles drift without a deployment, and refuses without a word or with two", async () => {
    const drifted = { observed: { blue: 60, green: 40 } };
    rig.server.json("GET /v1/status", status(serviceStatus("web", drifted)));
    expect((await rig.run(["status"])).stdout).toMatch(/drift +Teal had set blue 100 %/);
    expect((await rig.run(["traffic"])).stdout).toMatch(
      /recorded +blue 100 %\n +live +blue 60 %, green 40 %\n +Drift:/,
    );
    expect((await rig.run(["resume"])).exit).toBe(6);
    expect((await rig.run(["resume", "--adopt", "--overwrite"])).exit).toBe(2);
    rig.server.json("POST /v1/services/web/traffic", {
      service: "web",
      weights: { blue: 100 },
      generation: 5,
      receipt: null,
    });
    expect((await rig.run(["resume", "--overwrite"])).exit).toBe(0);
    expect(rig.server.asked.at(-1)?.body).toEqual({ drift: "overwrite", reason: null });
  });

  it("sets a split, and refuses one that is none before anybody is asked", async () => {
    const set = { service: "web", weights: { blue: 90, green: 10 }, generation: 5, receipt: receipt() };
    rig.server.json("POST /v1/services/web/traffic", set);
    const { exit, stdout } = await rig.run(["traffic", "--set", "blue=90, green=10%", "--force"]);
    expect([exit, stdout]).toEqual([0, expect.stringContaining("web: blue 90 %, green 10 %")]);
    expect(rig.server.asked.at(-1)?.body).toEqual({ weights: { blue: 90, green: 10 }, force: true, reason: null });
    const asked = rig.server.asked.length;
    for (const wrong of [
      "blue=90",
      "blue=90,green=20",
      "blue",
      "blue=50,blue=50",
      "blue=-1,green=101",
      "../x=100",
      "",
    ]) {
      expect([wrong, (await rig.run(["traffic", "--set", wrong])).exit]).toEqual([wrong, 2]);
    }
    expect(rig.server.asked.length).toBe(asked);
    const json = await rig.run(["traffic", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ desired: { blue: 100 }, observed: { blue: 100 }, drift: false });
  });
});
