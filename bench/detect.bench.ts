import { lowerBound } from "../src/simulation/clopper-pearson.ts";
import { DEFAULT_GUARDRAILS, goodReleases } from "./lib/good-releases.ts";
import { mustReach } from "./lib/must-reach.ts";
import { benchOptions, percentile, rounded } from "./lib/options.ts";
import { BETWEEN, CASES, requestsToDetect } from "./lib/requests-to-detect.ts";
import { BAD, type Bad, DetectionSite } from "./lib/wall-time.ts";

/**
 * How soon a bad release is detected, and how seldom a good one is taken for bad: in requests, exactly, beside the exact
 * sequential probability ratio test; by simulated releases at the border of what is allowed; and in seconds, with a whole
 * Teal under load, its guardrails as they are unless told.
 */
const { quick } = benchOptions();
const ALPHA = DEFAULT_GUARDRAILS.alpha ?? 0.001;
const RELEASES = quick ? 500 : 10_000;
const RUNS = quick ? 1 : 20;

console.log("p0      p1     requests  ÷ SPRT  ÷ Wald");
for (const [p0, p1] of quick ? [] : BETWEEN) print(requestsToDetect(p0, p1, ALPHA));
const detections = CASES.map(([p0, p1]) => requestsToDetect(p0, p1, ALPHA));
for (const detection of detections) print(detection);

const good = goodReleases(RELEASES, Math.random);
const { rolledBack, byFixedHorizon } = good;
console.log(
  `good releases: ${String(rolledBack)} of ${String(RELEASES)} rolled back; a fixed-horizon test of the error rate with the same alpha, looked at after each batch, would have rolled back ${String(rounded((100 * byFixedHorizon) / RELEASES))} %`,
);

const wallSeconds: Record<Bad, number | null> = { all: null, fifth: null, slow: null };
{
  await using site = await DetectionSite.open();
  for (const bad of BAD) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) times.push((await site.detect(bad)) ?? Infinity);
    console.log(`${bad}: ${times.map((seconds) => rounded(seconds, 3).toString()).join(" ")} s`);
    const median = percentile(times, 50);
    wallSeconds[bad] = Number.isFinite(median) ? rounded(median, 3) : null;
  }
}

const worstRatio = rounded(Math.max(...detections.map(({ ratio }) => ratio)), 3);
const falseAlarmRate = lowerBound(rolledBack, RELEASES, 0.01);
// What was not detected at all is over every limit; one run of each says nothing of their median.
const judged = (seconds: number | null): number | null => (quick ? null : (seconds ?? Infinity));
mustReach(
  { worstRatio: 1.45, falseAlarmRate: ALPHA, all: 0.5, fifth: 2, slow: 10 },
  {
    worstRatio,
    falseAlarmRate,
    all: judged(wallSeconds.all),
    fifth: judged(wallSeconds.fifth),
    slow: judged(wallSeconds.slow),
  },
);
console.log(
  JSON.stringify({
    bench: "detect",
    worstRatio,
    worstWaldRatio: rounded(Math.max(...detections.map(({ waldRatio }) => waldRatio)), 3),
    falseAlarmRate,
    alpha: ALPHA,
    wallSeconds,
    releases: RELEASES,
    rolledBack,
    byFixedHorizon,
    runs: RUNS,
  }),
);

function print({ p0, p1, mean, ratio, waldRatio }: ReturnType<typeof requestsToDetect>): void {
  const cells = [p0, p1, mean.toFixed(1), ratio.toFixed(3), waldRatio.toFixed(3)];
  console.log(cells.map((cell) => String(cell).padEnd(8)).join(" "));
}
