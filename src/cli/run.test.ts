import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CliRig } from "./fixtures.ts";
import { allVerbs, VERBS, verbOf } from "./verbs.ts";

let rig: CliRig;
beforeEach(async () => {
  rig = await CliRig.start();
});
afterEach(() => rig.close());

describe("the command line", () => {
  it("prints the list of verbs, with exit codes", async () => {
    for (const argv of [[], ["--help"], ["help"]]) {
      const { exit, stdout, stderr } = await rig.run(argv);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
      expect(stdout).toMatch(/^ {2}deploy \[service\] +Ship a version/m);
      expect(stdout).toMatch(/^ {2}env <verb> +list \| start \| stop \| scale \| retire: /m);
      expect(stdout).toMatch(/^ {2}6 {2}refused by a safety rule$/m);
      expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    }
  });

  it("prints its version", async () => {
    expect(await rig.run(["--version"])).toEqual({ exit: 0, stdout: "1.2.3\n", stderr: "" });
  });

  it.each(Object.keys(VERBS))("has help with examples for %s, and every example names it", async (name) => {
    const { exit, stdout } = await rig.run([...name.split(" "), "--help"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: teal ${name} `));
    const examples = stdout
      .slice(stdout.indexOf("Examples:"))
      .split("\n")
      .slice(1)
      .filter((line) => line.startsWith("  "));
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(example).toMatch(new RegExp(`^  teal ${name}\\b`));
    expect(stdout).toMatch(/--json/);
    expect(stdout).toMatch(/--config <file>/);
    expect(stdout).toMatch(/--reason <text>/);
  });

  it("names each verb as the list does", async () => {
    const verbs = await allVerbs();
    expect(verbs.map(({ name }) => name)).toEqual(Object.keys(VERBS));
    expect(verbOf(["env", "list", "--json"])).toBe("env list");
    expect(verbOf(["env"])).toBe(null);
  });

  it.each([
    [["deplooy"], /unknown command 'deplooy' \(Did you mean deploy\?\)/],
    [["status", "--jsno"], /unknown option '--jsno'/],
    [["deploy"], /required option '--version <version>' not specified/],
    [["deploy", "--version", "a b"], /'a b' is invalid/],
    [["deploy", "--version", "../up"], /is invalid/],
    [["history", "--limit", "many"], /whole number/],
    [["down", "--drain", "10"], /duration with its unit/],
    [["status", "web", "more"], /too many arguments/],
    [["env"], /env is not a whole verb; what can follow: list, start, stop, scale, retire \[usage\]/],
  ])("refuses %j with exit 2", async (argv, message) => {
    const { exit, stdout, stderr } = await rig.run(argv);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it.each([
    ["--config", "other/teal.yaml", "status"],
    ["env", "--config", "other/teal.yaml", "list"],
    ["--config=other/teal.yaml", "env", "list"],
  ])("takes the options of all verbs before and within the verb: %s %s %s", async (...argv) => {
    rig.parts = { ...rig.parts, client: (file) => Promise.reject(new Error(file)) };
    expect((await rig.run(argv)).stderr).toContain(`${rig.folder}/other/teal.yaml`);
  });

  it("prints one problem document on stderr under --json, and nothing on stdout", async () => {
    await rig.server.stop();
    const { exit, stdout, stderr } = await rig.run(["status", "--json"]);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: "" });
    expect(JSON.parse(stderr)).toMatchObject({
      code: "server-down",
      status: 503,
      remedy: expect.stringContaining("teal up"),
      problems: [],
    });
  });

  it("looks for teal.yaml in the folders above, and says where it looked", async () => {
    rig.parts = { ...rig.parts, client: (file) => Promise.reject(new Error(file)) };
    expect((await rig.run(["status"])).stderr).toContain(`${rig.folder}/teal.yaml`);
    expect((await rig.run(["status", "--config", "other/teal.yaml"])).stderr).toContain(
      `${rig.folder}/other/teal.yaml`,
    );
  });
});
