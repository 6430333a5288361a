import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { Site } from "./site.ts";

const CANARIES = ["canary-of-a-variable-81f3", "canary-of-a-file-c09a"];

function scrape(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: "/metrics" }, (response) => {
      text(response).then(resolve, reject);
    })
      .on("error", reject)
      .end();
  });
}

test("the log and the metrics tell of a deployment, and no secret is in them", { timeout: 120_000 }, async () => {
  const [variable = "", file = ""] = CANARIES;
  const variables = { TEAL_LOG_LEVEL: "trace", CANARY: variable };
  await using site = await Site.create({ deploy: { shift: [], bake: "0s" } }, variables);
  writeFileSync(join(site.dir, "canary.txt"), file);
  const env = { CANARY: "${env:CANARY}", FROM_FILE: "${file:./canary.txt}" };
  await site.configure({ deploy: { shift: [], bake: "0s" }, environment: { env } });
  await site.start();
  const good = await site.deployed("v1");
  expect({ state: good.state, cause: good.cause }).toEqual({ state: "completed", cause: null });

  // An app that says its secrets when it ends.
  const command = `node -e "console.error(process.env.CANARY, process.env.FROM_FILE); process.exit(1)"`;
  await site.configure({ deploy: { shift: [], bake: "0s" }, environment: { env, command } });
  const bad = await site.deployed("v2");
  expect(bad.state).toBe("failed");

  const written = readFileSync(join(site.paths.logs, "server.log"), "utf8");
  const lines = written.split("\n").filter((line) => line.startsWith("{"));
  const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(told).toContainEqual(
    expect.objectContaining({ msg: "step-started", deployment: good.id, service: "web", step: "start", attempt: 1 }),
  );
  expect(told).toContainEqual(expect.objectContaining({ msg: "step-failed", deployment: bad.id, service: "web" }));
  expect(told.filter(({ code }) => code === "internal")).toEqual([]);
  for (const canary of CANARIES) expect(written).not.toContain(canary);
  // They were there to be leaked: the app's own log, which is the app's affair, has them.
  const { stdout } = await site.cli("logs", "--lines", "1000");
  for (const canary of CANARIES) expect(stdout).toContain(canary);

  const metrics = await scrape(site.paths.apiSocket);
  expect(metrics).toContain('teal_deployments_total{goal="deploy",state="completed"} 1\n');
  expect(metrics).toContain('teal_deployments_total{goal="deploy",state="failed"} 1\n');
  expect(metrics).toContain("teal_keeper_reachable 1\n");
  expect(metrics).toMatch(
    /^teal_api_call_duration_seconds_count\{route="\/v1\/[^"]+",method="POST",class="2xx"\} \d+$/m,
  );
  for (const canary of CANARIES) expect(metrics).not.toContain(canary);
});
