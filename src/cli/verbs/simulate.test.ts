import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sampleSpec } from "../../model/samples.ts";
import { CliRig, config, deployment } from "../fixtures.ts";

const spec = {
  ...sampleSpec,
  deploy: { ...sampleSpec.deploy, shift: [{ weight: 10, forMs: 5_000 }], bakeMs: 5_000 },
};
const BAD = ["simulate", "--failing", "50%", "--rate", "200/s", "--runs", "5"];

describe("teal simulate", { timeout: 60_000 }, () => {
  let rig: CliRig;
  beforeEach(async () => {
    rig = await CliRig.start();
    rig.parts = { ...rig.parts, loadConfig: () => Promise.resolve(config({ web: spec })) };
  });
  afterEach(() => rig.close());

  test("says how soon it is caught, whom it hurts, and how often a good one is taken back", async () => {
    const { exit, stdout } = await rig.run([...BAD, "--users", "1000"]);
    expect(exit).toBe(0);
    expect(stdout).toContain("web: 10 % for 5 s, bake at 100 % for 5 s; 200 requests a second");
    expect(stdout).toMatch(/A release that fails 50 % of its requests:\n {2}taken back +5 of 5 runs/);
    expect(stdout).toMatch(/time to detect +\S+ m?s in the median, \S+ m?s or less in 95 of 100 runs/);
    expect(stdout).toMatch(/users hurt +\d+ in the median, .*; there are 1,000/);
    expect(stdout).toMatch(/taken back +0 of 5 runs: at most 4[56](\.\d)? %, with a confidence of 95 %/);
    expect(stdout).toContain("at most 0.1 % (guardrails.alpha)");
  });

  test("fits the screen, and is not broken in a pipe", async () => {
    const onScreen = await rig.run([...BAD, "--users", "1000"], { terminal: true, columns: 80 });
    const lines = stripVTControlCharacters(onScreen.stdout).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    const piped = await rig.run([...BAD, "--users", "1000"]);
    expect(piped.stdout.split("\n").length).toBeLessThan(lines.length);
  });

  test("is one document under --json, the same for the same seed", async () => {
    const first = await rig.run([...BAD, "--json"]);
    const again = await rig.run([...BAD, "--json"]);
    expect(again.stdout).toBe(first.stdout);
    expect(JSON.parse(first.stdout)).toMatchObject({
      service: "web",
      seed: 1,
      scenario: { failing: 0.5, rate: 200, users: null, sticky: false },
      simulation: {
        runs: 5,
        caught: 5,
        neverCaught: 0,
        usersHurt: null,
        good: { runs: 5, takenBack: 0, promised: 0.001 },
      },
    });
    expect((await rig.run([...BAD, "--json", "--seed", "2"])).stdout).not.toBe(first.stdout);
  });

  test("draws a picture into a file", async () => {
    const { exit, stdout } = await rig.run([...BAD, "--svg", "bad.svg"]);
    expect({ exit, says: stdout.includes("The picture is in bad.svg.") }).toEqual({ exit: 0, says: true });
    expect(await readFile(join(rig.folder, "bad.svg"), "utf8")).toMatch(/^<svg xmlns=.*<\/svg>$/s);
    const nowhere = await rig.run([...BAD, "--svg", "no/such/folder/bad.svg"]);
    expect(nowhere).toMatchObject({ exit: 2, stdout: "" });
    expect(nowhere.stderr).toContain("cannot be written");
  });

  test.each([
    [["simulate"], "say what is bad"],
    [["simulate", "--failing", "20"], '--failing is "20", not a percentage'],
    [["simulate", "--failing", "101%"], "not a percentage"],
    [["simulate", "--slow", "0.5x"], "not a factor above 1x"],
    [["simulate", "--failing", "1%", "--rate", "fast"], "not a rate"],
    [["simulate", "--failing", "1%", "--rate", "0/s"], "not a rate"],
    [["simulate", "--failing", "1%", "--users", "0"], "--users must be 1 or more"],
    [["simulate", "--failing", "1%", "--runs", "0"], "--runs must be 1 to 100000"],
    [["simulate", "--failing", "1%", "--after", "soon"], "duration"],
    [["simulate", "--failing", "1%", "--deployment", "dep_1"], "leave out what describes a release"],
    [["simulate", "shop", "--failing", "1%"], "there is no service shop"],
  ])("%j is bad input, exit 2", async (argv, says) => {
    const { exit, stdout, stderr } = await rig.run(argv);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
    expect(stderr).toContain(says);
  });

  test("judges a recorded deployment by what teal.yaml has now", async () => {
    const cell = { requests: 50, failures: 0, connectFailures: 0, latency: [[12, 50]] };
    const point = (second: number) => ({
      from: 1_000 * second,
      at: 1_000 * (second + 1),
      environments: { blue: cell, green: { ...cell, failures: 20 } },
    });
    const series = {
      deployment: "dep_1",
      service: "web",
      candidate: "green",
      baseline: "blue",
      stages: [{ step: "shift-50", weight: 50, from: 0, to: null, compared: true }],
      before: {},
      points: [0, 1, 2, 3].map(point),
    };
    rig.server.json("GET /v1/deployments/dep_1/series", series);
    rig.server.json("GET /v1/deployments/dep_1", deployment("completed"));
    const { exit, stdout } = await rig.run(["simulate", "--deployment", "dep_1"]);
    expect(exit).toBe(0);
    expect(stdout).toContain("would have been taken back after 2 s, at shift-50, by errorRate");
    expect(stdout).toContain("What became of it: completed.");
    const json = await rig.run(["simulate", "--deployment", "dep_1", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      deployment: "dep_1",
      replay: { takenBack: { rule: "errorRate", at: 2_000 } },
    });
    expect(stdout).toContain("intervals of up to 1 s");
    expect(stdout).not.toContain("Not exact");
    const probes = { checks: [], everyMs: 1_000, timeoutMs: 1_000 };
    const sticky = {
      ...spec,
      traffic: { ...spec.traffic, affinity: { cookie: "user" } },
      deploy: { ...spec.deploy, probes },
    };
    rig.parts = { ...rig.parts, loadConfig: () => Promise.resolve(config({ web: sticky })) };
    const inexact = await rig.run(["simulate", "--deployment", "dep_1"]);
    expect(inexact.stdout).toContain("Not exact: this recording does not tell clients apart");
    expect(inexact.stdout).toContain("Not exact: what probes were answered is not kept");
    rig.server.json("GET /v1/deployments/dep_1/series", { ...series, points: [] });
    const nothing = await rig.run(["simulate", "--deployment", "dep_1"]);
    expect(nothing.exit).toBe(2);
    expect(nothing.stderr).toContain("nothing is kept of the traffic of dep_1");
  });
});
