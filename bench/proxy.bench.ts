import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allowedCpus } from "./lib/cpus.ts";
import { type Contestant, duel, type DuelCase, type DuelRow, slice } from "./lib/duel.ts";
import { freePort } from "./lib/free-port.ts";
import { isInstalled, requireProgram } from "./lib/installed.ts";
import { mustReach } from "./lib/must-reach.ts";
import { benchOptions } from "./lib/options.ts";
import { TealProxy } from "./lib/teal-proxy.ts";
import { startUpstream } from "./lib/upstream.ts";
import { RIVALS } from "./rivals/index.ts";

/**
 * What a request costs in Teal's proxy, beside HAProxy, nginx and Caddy: processor time of all threads of the proxy,
 * divided by the requests that it answered. Each proxy has one worker and one processor to itself while it is loaded; the
 * load generator (wrk) and the upstream (nginx, fixed answers) share another.
 */
const { quick } = benchOptions();
const SMALL: DuelCase = { name: "get-small", path: "/", connections: 64 };
const CASES: readonly DuelCase[] = [
  SMALL,
  { name: "get-10k", path: "/10k", connections: 64 },
  { name: "get-1m", path: "/1m", connections: 8 },
  { name: "post-10k", path: "/orders", connections: 64, script: join(import.meta.dirname, "rivals", "post.lua") },
  { name: "get-small-1000-connections", path: "/", connections: 1_000 },
];
const WARM_MS = quick ? 700 : 3_000;
/**
 * The first case is the one that is judged. Of 1,000 connections the first answers wait for all the others to be opened:
 * long slices keep them below one in a hundred, which quick ones cannot.
 */
function lengthOf(test: DuelCase): { readonly rounds: number; readonly sliceMs: number } {
  if (!quick) return test.connections > 100 ? { rounds: 7, sliceMs: 4_000 } : { rounds: 9, sliceMs: 1_500 };
  if (test === SMALL) return { rounds: 7, sliceMs: 400 };
  return { rounds: 3, sliceMs: test.connections > 100 ? 700 : 300 };
}

for (const program of ["taskset", "wrk", "nginx"]) requireProgram(program);
const [proxyCpu = 0, loadCpu = proxyCpu] = allowedCpus();
if (loadCpu === proxyCpu) console.log("there is one processor: proxies share it with their load");

const folder = mkdtempSync(join(tmpdir(), "teal-bench-"));
await using stack = new AsyncDisposableStack();
stack.defer(() => {
  rmSync(folder, { recursive: true, force: true });
});

const upstream = await startUpstream(folder, loadCpu);
stack.defer(() => upstream.program.stop());
const teal = await TealProxy.start(folder, upstream.address, proxyCpu);
stack.defer(() => teal.stop());
const contestants: Contestant[] = [{ name: "teal", url: teal.url, program: teal.program }];
for (const rival of RIVALS) {
  if (!isInstalled(rival.name)) {
    console.log(`${rival.name} is not installed and left out; as root, scripts/setup installs it`);
    continue;
  }
  const port = freePort();
  const sides = { blue: [upstream.address], green: [] };
  const plan = { folder, port, cpu: proxyCpu, threads: 1, sides, active: "blue", health: "/" } as const;
  const { program } = await rival.start(plan);
  stack.defer(() => program.stop());
  const url = `http://127.0.0.1:${String(port)}`;
  await program.ready(url);
  contestants.push({ name: rival.name, url, program });
}
for (const one of contestants) await slice(SMALL, one, { rounds: 1, sliceMs: WARM_MS, cpu: loadCpu });

const results: DuelRow[] = [];
const ratios: Record<string, Readonly<Record<string, number | null>>> = {};
const missing = Object.fromEntries(RIVALS.map(({ name }) => [name, null]));
for (const test of CASES) {
  const { rows, ratios: found, errors } = await duel(test, contestants, { ...lengthOf(test), cpu: loadCpu });
  results.push(...rows);
  ratios[test.name] = { ...missing, ...found };
  for (const { proxy, cpuUsPerRequest, requestsPerSecond, p50Ms, p99Ms } of rows) {
    console.log(
      `${test.name} ${proxy}: ${String(cpuUsPerRequest)} µs a request, ${String(requestsPerSecond)}/s,` +
        ` p50 ${String(p50Ms)} ms, p99 ${String(p99Ms)} ms; busy ${String(Math.round((cpuUsPerRequest * requestsPerSecond) / 10_000))} %`,
    );
  }
  if (errors > 0) console.log(`${test.name}: ${String(errors)} errors of connections`);
}
const measured = {
  ratioToHaproxy: ratios[SMALL.name]?.["haproxy"] ?? null,
  ratioToCaddy: ratios[SMALL.name]?.["caddy"] ?? null,
};
mustReach({ ratioToHaproxy: 2, ratioToCaddy: 0.5 }, measured);
console.log(JSON.stringify({ bench: "proxy", results, ...measured, ratios }));
