import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { type DeploymentState, isEnded } from "../src/model/deployment.ts";
import { systemClock } from "../src/main/clock.ts";
import { Site } from "../test/site.ts";
import { requireProgram } from "./lib/installed.ts";
import { mustReach } from "./lib/must-reach.ts";
import { benchOptions, percentile, rounded } from "./lib/options.ts";
import { cpuSeconds } from "./lib/cpu-seconds.ts";
import { rssMiB } from "./lib/rss.ts";

/**
 * What one server carries: `services` with a release that serves, then `deployments` of them at once (each starts an
 * instance, proves it, shifts in two steps and bakes), while a client keeps asking the API.
 * - apiP99Ms: over the calls of that client, each begun on its own schedule: a service, a deployment, a history. It asks
 *   from when all deployments are accepted; the calls that ask for them, and for the status of all, are told apart.
 * - rssMiB: the highest resident memory of the server, looked at every second from its start to the end.
 * The apps are BusyBox httpds, as thousands of Node processes would measure Node. `--services N --deployments N` asks for
 * other sizes. The lines before the last tell what each process of Teal, and this client, took of the processors.
 */
const { quick, sizes } = benchOptions({ sizes: ["services", "deployments"] });
const SERVICES = sizes["services"] ?? (quick ? 200 : 2_000);
const DEPLOYMENTS = sizes["deployments"] ?? (quick ? 40 : 200);
if (DEPLOYMENTS > SERVICES) throw new TypeError("each deployment needs a service of its own");
/** First releases that are made at the same time. */
const SETUP_AT_ONCE = 100;
const ASK_EVERY_MS = 20;
const APP = "busybox httpd -f -p $HOST:$PORT -h .";

function configOf(names: readonly string[]): string {
  const service = (name: string) => ({
    release: { dir: "./tiny" },
    environment: { driver: "process", command: APP, count: 1, stop: { signal: "SIGTERM", timeout: "2s" } },
    health: { path: "/health", interval: "5s", timeout: "2s", healthyAfter: 1, unhealthyAfter: 3, deadline: "60s" },
    traffic: { driver: "embedded", hosts: [`${name}.test`], drain: "1s", longLived: "1s" },
    deploy: {
      shift: [
        { weight: 10, for: "5s" },
        { weight: 50, for: "5s" },
      ],
      bake: "5s",
      keepStandby: "1h",
    },
  });
  return stringify({
    version: 1,
    proxy: { listen: ["127.0.0.1:0"] },
    services: Object.fromEntries(names.map((name) => [name, service(name)])),
  });
}

/** Runs `task` for every item, so many at a time. */
async function each<T>(items: readonly T[], atOnce: number, task: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of queue) await task(item);
    }),
  );
}

async function deployed(site: Site, service: string, version: string): Promise<void> {
  const { id } = await site.client.deploy(service, { version }, crypto.randomUUID());
  for (;;) {
    const { state, cause } = await site.client.deployment(id);
    if (state === "completed") return;
    if (isEnded(state)) throw new Error(`${service} ${version}: ${state} ${JSON.stringify(cause)}`);
    await systemClock.sleep(500);
  }
}

/** What is asked, in turn. */
const KINDS = ["service", "deployment", "history"] as const;

interface Took {
  readonly kind: (typeof KINDS)[number];
  readonly ms: number;
}

/** Asks, at a fixed rate, until the signal aborts; the time of every call in ms, from when it was due. */
async function ask(site: Site, names: readonly string[], ids: readonly string[], signal: AbortSignal): Promise<Took[]> {
  const took: Took[] = [];
  const calls: Promise<unknown>[] = [];
  const begun = performance.now();
  for (let turn = 0; !signal.aborted; turn += 1) {
    const due = begun + turn * ASK_EVERY_MS;
    const name = names[(turn * 7) % names.length] ?? "";
    const id = ids[turn % ids.length] ?? "";
    const kind = KINDS[turn % KINDS.length] ?? "service";
    const call = {
      service: () => site.client.service(name),
      deployment: () => site.client.deployment(id),
      history: () => site.client.history(name, 20),
    }[kind];
    await systemClock.sleep(Math.max(0, due - performance.now()));
    calls.push(call().then(() => took.push({ kind, ms: performance.now() - due })));
  }
  await Promise.all(calls);
  return took;
}

/** Looks every second how much memory the process has; returns what ends that, and gives the most. */
function watched(pid: number): () => Promise<number> {
  const over = new AbortController();
  const most = (async () => {
    let highest = 0;
    while (!over.signal.aborted) {
      highest = Math.max(highest, await rssMiB(pid));
      // The abort is looked at by the loop's own condition.
      await systemClock.sleep(1_000, over.signal).catch(() => undefined);
    }
    return highest;
  })();
  return () => {
    over.abort();
    return most;
  };
}

requireProgram("busybox");
const names = Array.from({ length: SERVICES }, (_, index) => `s${String(index).padStart(4, "0")}`);
await using site = await Site.create();
// Whoever limits its time must not be left with thousands of processes.
process.once("SIGTERM", () => void site[Symbol.asyncDispose]().finally(() => process.exit(1)));
await mkdir(join(site.dir, "tiny"));
await writeFile(join(site.dir, "tiny", "health"), "ok\n");
await writeFile(join(site.dir, "teal.yaml"), configOf(names));
await site.start();

const pids = await site.pids();
const memory = watched(pids.server ?? 0);
/** Processor seconds of each process since the last call. */
const taken: () => string = (() => {
  let before: Record<string, number> = {};
  return () => {
    const now: Record<string, number> = {
      keeper: cpuSeconds(pids.keeper),
      server: cpuSeconds(pids.server ?? 0),
      proxy: pids.proxies.map(cpuSeconds).reduce((sum, value) => sum + value, 0),
      bench: cpuSeconds(process.pid),
    };
    const parts = Object.entries(now).map(([name, at]) => `${name} ${String(rounded(at - (before[name] ?? 0), 1))}`);
    before = now;
    return `processor seconds: ${parts.join(", ")}`;
  };
})();
const setUp = performance.now();
let done = 0;
await each(names, SETUP_AT_ONCE, async (name) => {
  await deployed(site, name, "v1");
  done += 1;
  if (done % 100 === 0) console.log(`${String(done)} services serve`);
});
console.log(`set up in ${String(rounded((performance.now() - setUp) / 1_000, 1))} s; ${taken()}`);

const chosen = names.slice(0, DEPLOYMENTS);
const began = performance.now();
const ended = (id: string): Promise<DeploymentState> =>
  site.until(
    `${id} ends`,
    async () => {
      await systemClock.sleep(1_000);
      const { state } = await site.client.deployment(id);
      return isEnded(state) ? state : null;
    },
    180_000,
  );
// Each is followed from its own acceptance on, as by whoever asked for it.
const accepted = await Promise.all(
  chosen.map(async (name) => {
    const { id } = await site.client.deploy(name, { version: "v2" }, crypto.randomUUID());
    return { id, state: ended(id), tookMs: performance.now() - began };
  }),
);
const ids = accepted.map(({ id }) => id);
const accepting = accepted.map(({ tookMs }) => tookMs);
console.log(
  `${String(ids.length)} deployments accepted in ${String(rounded(performance.now() - began, 0))} ms; all asked for at once, ` +
    `a call took p50 ${String(rounded(percentile(accepting, 50), 0))} ms, p99 ${String(rounded(percentile(accepting, 99), 0))} ms`,
);
const over = new AbortController();
const asking = ask(site, names, ids, over.signal);
const states = await Promise.all(accepted.map(({ state }) => state));
over.abort();
const asked = await asking;
const took = asked.map(({ ms }) => ms);
const kinds = KINDS.map((kind) => {
  const times = asked.filter((one) => one.kind === kind).map(({ ms }) => ms);
  return `${kind} ${String(rounded(percentile(times, 50)))} / ${String(rounded(percentile(times, 99)))} ms`;
});
console.log(`${taken()}; p50 / p99: ${kinds.join(", ")}`);
const statusBegan = performance.now();
const { services } = await site.client.status();
console.log(
  `all ended after ${String(rounded((performance.now() - began) / 1_000, 1))} s: ${JSON.stringify(
    Object.fromEntries(
      Map.groupBy(states, (state) => state)
        .entries()
        .map(([state, all]) => [state, all.length]),
    ),
  )}; ` +
    `${String(took.length)} calls, p50 ${String(rounded(percentile(took, 50)))} ms, max ${String(rounded(Math.max(...took)))} ms; ` +
    `status of all ${String(services.length)} in ${String(rounded(performance.now() - statusBegan, 0))} ms`,
);
if (states.some((state) => state !== "completed")) process.exitCode = 1;
const measured = { apiP99Ms: rounded(percentile(took, 99)), rssMiB: rounded(await memory()) };
mustReach({ apiP99Ms: 50, rssMiB: 512 }, measured);
console.log(JSON.stringify({ bench: "control", services: services.length, deployments: ids.length, ...measured }));
