import { cp, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { receiptLine } from "./demo/facts.ts";
import { awaitNoProcess } from "./demo/leftovers.ts";
import { type Findings, play } from "./demo/story.ts";
import { Teal } from "./demo/teal.ts";
import { ROOT } from "./lib/root.ts";

// `npm run demo`: Teal from start to finish with examples/web-node, under load. Exits with 1 when a request was lost or
// anything else was not as it should be. Its last line is one JSON object.

const LONGEST_MS = 110_000;

const began = performance.now();
const seconds = (): string => ((performance.now() - began) / 1_000).toFixed(1).padStart(5);
const print = (line: string): void => {
  console.log(`${seconds()}  ${line}`);
};
const title = (text: string): void => {
  console.log(`\n${seconds()}  ── ${text.replaceAll("\n", `\n${" ".repeat(7)}`)}`);
};

/** A copy of the example that listens on a port that the kernel draws. */
async function prepare(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "teal-demo-")));
  await cp(`${ROOT}examples/web-node/app`, join(folder, "app"), { recursive: true });
  const config = await readFile(`${ROOT}examples/web-node/teal.yaml`, "utf8");
  await writeFile(join(folder, "teal.yaml"), config.replace("127.0.0.1:8080", "127.0.0.1:0"));
  return folder;
}

async function takeDown(folder: string): Promise<readonly string[]> {
  title("stop everything\n$ teal down --yes");
  const exit = await new Teal(folder, AbortSignal.timeout(30_000))
    .run(["down", "--yes"], print)
    .catch((thrown: unknown) => {
      print(String(thrown));
      return 1;
    });
  const left = await awaitNoProcess(folder, 5_000);
  await rm(folder, { recursive: true });
  const complaints = exit === 0 ? [] : [`teal down exited with ${String(exit)}`];
  return left.length === 0 ? complaints : [...complaints, `processes were left behind: ${left.join(", ")}`];
}

function report({ summary, receipts, rollBackMs }: Findings): void {
  title("receipts, as the data plane counted");
  for (const receipt of receipts) print(receiptLine(receipt));
  title("summary, as the client counted");
  const { sent, lost, failed, latencyMs, skipped } = summary;
  for (const [version, { ok }] of Object.entries(summary.versions)) {
    print(`${version}: ${String(ok)} right answers, ${String(failed[version] ?? 0)} failed by the release itself`);
  }
  print(
    `sent ${String(sent)}, lost ${String(lost)}; latency p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms`,
  );
  if (skipped > 0) print(`${String(skipped)} requests were not sent: this machine is too busy for the load`);
  print(
    `time to roll back v3: ${rollBackMs === null ? "?" : `${String(rollBackMs)} ms`}, from its first failed answer to 0 % of the traffic`,
  );
}

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => {
    interrupted.abort(new Error(`ended by ${name}`));
  });
}
const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(LONGEST_MS)]);
const complaints: string[] = [];
let findings: Findings | null = null;

const folder = await prepare();
try {
  const teal = new Teal(folder, signal);
  findings = await play({ teal, releases: join(folder, ".teal", "releases", "web"), signal, title, print });
  complaints.push(...findings.complaints);
} catch (thrown) {
  const reason: unknown = signal.aborted ? signal.reason : thrown;
  complaints.push(reason instanceof Error ? reason.message : String(reason));
} finally {
  complaints.push(...(await takeDown(folder)));
}
if (findings !== null) report(findings);
for (const complaint of complaints) print(`✗ ${complaint}`);
const demo = complaints.length === 0 ? "ok" : "failed";
const { sent = 0, lost = null, failed = {} } = findings?.summary ?? {};
console.log(
  `\n${JSON.stringify({ demo, sent, lost, failed, rollBackMs: findings?.rollBackMs ?? null, seconds: Number(seconds()) })}`,
);
process.exitCode = demo === "ok" ? 0 : 1;
