import { setTimeout as sleep } from "node:timers/promises";
import { requireProgram } from "./lib/installed.ts";
import { MixedLoad } from "./lib/mixed-load.ts";
import { mustReach } from "./lib/must-reach.ts";
import { benchOptions, percentile, rounded } from "./lib/options.ts";
import { ArrivalProbe } from "./lib/probe.ts";
import { rivalSwitchboard } from "./lib/rival-switchboard.ts";
import type { Switchboard } from "./lib/switchboard.ts";
import { tealSwitchboard } from "./lib/teal-switchboard.ts";
import { RIVALS } from "./rivals/index.ts";

/**
 * Switches there and back under a mixed load: GET, POST with a length, chunked POST, pipelined GET, and WebSockets, none
 * of which is old enough at the end to be closed by Teal. A switch's time is from the client's
 * call (so a little before the server's receipt of it) to the last request that the app of the old side got, by the app's
 * own clock; a probe of two kept connections supplies about 1,000 arrivals a second to tell by.
 * Then, where there is such a thing (Teal), a new version is given half of the traffic and aborted, again and again:
 * `abortP99Ms` is from that call to the last request that the new version got.
 * `--driver haproxy | nginx | caddy`: the same, with that proxy's own way of switching.
 */
const { quick, driver } = benchOptions({ drivers: ["embedded", ...RIVALS.map(({ name }) => name)] });
const SWITCHES = quick ? 60 : 200;
const ABORTS = quick ? 5 : 20;
const PAUSE_MS = quick ? 150 : 250;

function openSwitchboard(): Promise<Switchboard> {
  const rival = RIVALS.find(({ name }) => name === driver);
  if (rival === undefined) return tealSwitchboard();
  requireProgram(rival.name);
  return rivalSwitchboard(rival);
}

const now = (): number => performance.timeOrigin + performance.now();

await using board = await openSwitchboard();
const load = new MixedLoad(board.url, 200);
const probe = new ArrivalProbe(board.url, 2, 1);
await sleep(1_000);

const times: number[] = [];
let active = board.active;
for (let i = 0; i < SWITCHES; i += 1) {
  const old = board.versions[active];
  active = active === "green" ? "blue" : "green";
  probe.take();
  const calledAt = now();
  await board.switchTo(active);
  // Longer than any request takes to come back, so that the last ones of the old side are in.
  await sleep(PAUSE_MS);
  const late = probe.take().filter(({ version, at }) => version === old && at >= calledAt);
  times.push(Math.max(0, ...late.map(({ at }) => at - calledAt)));
  if ((i + 1) % 20 === 0) console.log(`${String(i + 1)} of ${String(SWITCHES)} switches`);
}
const aborts: number[] = [];
for (let i = 0; board.expose !== null && i < ABORTS; i += 1) {
  const { version, abort, over } = await board.expose();
  probe.take();
  const calledAt = now();
  await abort();
  await sleep(PAUSE_MS);
  const late = probe.take().filter((arrival) => arrival.version === version && arrival.at >= calledAt);
  aborts.push(Math.max(0, ...late.map(({ at }) => at - calledAt)));
  await over();
}
await probe.stop();
const summary = await board.settled(load);
const { lost, sent, examples } = summary;
for (const example of examples) console.log(`lost: ${JSON.stringify(example)}`);

const took = await board.tookMs();
const by = Object.entries(summary.lostBy).filter(([, count]) => count > 0);
if (lost > 0) console.log(`lost by reason: ${by.map(([reason, count]) => `${reason} ${String(count)}`).join(", ")}`);
for (const [kind, { sent, lost: gone }] of Object.entries(summary.byKind))
  console.log(`${kind}: ${String(sent)}, ${String(gone)} lost`);
console.log(
  `load: p50 ${rounded(summary.latencyMs.p50).toString()} ms, p99 ${rounded(summary.latencyMs.p99).toString()} ms`,
);
const measured = { lost: lost + probe.failures, p99Ms: rounded(percentile(times, 99)) };
// A rival's way of switching is what it is.
if (driver === "embedded") mustReach({ lost: 0, p99Ms: 20 }, measured);
console.log(
  JSON.stringify({
    bench: "switch",
    driver,
    switches: SWITCHES,
    requests: sent + probe.asked,
    lost: measured.lost,
    p50Ms: rounded(percentile(times, 50)),
    p99Ms: measured.p99Ms,
    dataPlaneP99Ms: took.length === 0 ? null : rounded(percentile(took, 99)),
    abortP99Ms: aborts.length === 0 ? null : rounded(percentile(aborts, 99)),
    byKind: {
      ...summary.byKind,
      probe: { sent: probe.asked, ok: probe.asked - probe.failures, failed: 0, lost: probe.failures },
    },
  }),
);
