import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { Site } from "../test/site.ts";
import { freePort } from "./lib/free-port.ts";
import { mustReach } from "./lib/must-reach.ts";
import { benchOptions, percentile, rounded } from "./lib/options.ts";
import { rssMiB } from "./lib/rss.ts";

/**
 * What Teal itself costs.
 * - deployMs: median time of a deployment beyond the app's own start (measured by starting it the same way without Teal),
 *   healthyAfter × interval, `for`, bake and drain.
 * - statusMs: median wall time of `teal status` as a process.
 * - idleRssMiB: resident memory of the server process, without a deployment under way.
 * - totalRssMiB: keeper, server and proxy with 2 × 2 instances; the apps' own memory is theirs.
 */
const { quick } = benchOptions();
const ROUNDS = quick ? 5 : 15;
const HEALTHY_AFTER = 2;
const INTERVAL_MS = 100;

/** From the spawn to the first healthy answer, of as many copies at once as a deployment starts. */
async function appStartMs(site: Site, copies: number): Promise<number> {
  const ports = Array.from({ length: copies }, freePort);
  const began = performance.now();
  const children = ports.map((port) => {
    const child = spawn("/bin/sh", ["-c", "exec node server.js"], {
      cwd: `${site.dir}/app`,
      env: { PATH: process.env["PATH"], PORT: String(port), TEAL_VERSION: "v1" },
      stdio: "ignore",
    });
    return { child, port };
  });
  try {
    await Promise.all(
      children.map(({ port }) =>
        site.until("the app answers", async () => {
          try {
            return (await fetch(`http://127.0.0.1:${String(port)}/health`)).status === 200;
          } catch {
            return false;
          }
        }),
      ),
    );
    return performance.now() - began;
  } finally {
    for (const { child } of children) child.kill("SIGKILL");
  }
}

await using site = await Site.up({
  health: { interval: `${String(INTERVAL_MS)}ms`, healthyAfter: HEALTHY_AFTER },
  deploy: { shift: [], bake: "0ms" },
});
const pids = await site.pids();
await site.deployed("v1");
const deploys: number[] = [];
const starts: number[] = [];
for (let i = 0; i < ROUNDS; i += 1) {
  starts.push(await appStartMs(site, 2));
  const began = performance.now();
  const { state, cause } = await site.deployed(`v${String(100 + i)}`);
  if (state !== "completed") throw new Error(`${state} ${JSON.stringify(cause)}`);
  deploys.push(performance.now() - began);
}
const statuses: number[] = [];
for (let i = 0; i < ROUNDS * 2; i += 1) {
  const began = performance.now();
  const { code } = await site.cli("status");
  if (code !== 0) throw new Error(`teal status exited with ${String(code)}`);
  statuses.push(performance.now() - began);
}
const server = await rssMiB(pids.server ?? 0);
const keeper = await rssMiB(pids.keeper);
const proxies = await Promise.all(pids.proxies.map(rssMiB));
const proxy = proxies.reduce((sum, value) => sum + value, 0);
const tasks = await readdir(`/proc/${String(pids.proxies[0] ?? "self")}/task`);
console.log(
  `app start ${String(rounded(percentile(starts, 50)))} ms; whole deployment ${String(rounded(percentile(deploys, 50)))} ms`,
);
console.log(
  `RSS MiB: keeper ${String(rounded(keeper))}, server ${String(rounded(server))}, proxy ${String(rounded(proxy))} (${String(tasks.length)} threads)`,
);
const measured = {
  deployMs: rounded(percentile(deploys, 50) - percentile(starts, 50) - HEALTHY_AFTER * INTERVAL_MS),
  statusMs: rounded(percentile(statuses, 50)),
  idleRssMiB: rounded(server),
  totalRssMiB: rounded(keeper + server + proxy),
};
mustReach({ deployMs: 2_000, statusMs: 200, idleRssMiB: 150, totalRssMiB: 350 }, measured);
console.log(JSON.stringify({ bench: "overhead", ...measured }));
