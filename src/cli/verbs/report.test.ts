import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CliRig } from "../fixtures.ts";

let rig: CliRig;
beforeEach(async () => {
  rig = await CliRig.start();
});
afterEach(() => rig.close());

const newest = {
  history: [
    {
      deployment: "dep_9",
      goal: "deploy",
      from: null,
      to: "blue",
      version: "v1",
      state: "completed",
      startedAt: 1,
      endedAt: 2,
      by: "ada",
      reason: null,
    },
  ],
};

test("prints the Markdown of the newest deployment, and writes files where they are asked for", async () => {
  rig.server.json("GET /v1/services/web/history", newest);
  rig.server.on("GET /v1/deployments/dep_9/report", () => ({ status: 200, json: "# A report\n" }));
  expect(await rig.run(["report"])).toMatchObject({ exit: 0, stdout: "# A report\n" });
  const written = await rig.run(["report", "dep_9", "--output", "r.md", "--html", "r.html"]);
  expect(written).toMatchObject({ exit: 0, stdout: "The report is in r.md.\nThe report is in r.html.\n" });
  expect(await readFile(join(rig.folder, "r.md"), "utf8")).toBe("# A report\n");
  expect(await readFile(join(rig.folder, "r.html"), "utf8")).toBe("# A report\n");
});

test("a service without a deployment, and a file that cannot be written, are told", async () => {
  rig.server.json("GET /v1/services/web/history", { history: [] });
  expect(await rig.run(["report"])).toMatchObject({ exit: 2, stdout: "" });
  expect(await rig.run(["report", "--service", "shop"])).toMatchObject({ exit: 2, stdout: "" });
  rig.server.on("GET /v1/deployments/dep_9/report", () => ({ status: 200, json: "# A report\n" }));
  const nowhere = await rig.run(["report", "dep_9", "--output", "no/such/r.md"]);
  expect(nowhere.exit).toBe(2);
  expect(nowhere.stderr).toContain("cannot be written");
});
