import { setTimeout as sleep } from "node:timers/promises";
import { readAppLedger } from "../../bench/lib/app-ledger.ts";
import type { Summary } from "../../bench/lib/ledger.ts";
import { LoadGenerator } from "../../bench/lib/load-generator.ts";
import type { ReceiptAnswer } from "../../src/api/answers.ts";
import { finalReceipts, trafficUrl } from "./facts.ts";
import { judge, timeToRollBack } from "./judge.ts";
import type { Teal } from "./teal.ts";
import { Ticker } from "./ticker.ts";

/** Requests per second, and an end to them whatever happens. */
const RATE = 200;
const LONGEST_LOAD_MS = 100_000;

export interface Findings {
  readonly summary: Summary;
  readonly receipts: readonly ReceiptAnswer[];
  /** From the first failed answer of v3 to the split without it; null when it never failed. */
  readonly rollBackMs: number | null;
  /** What was not as it should be. */
  readonly complaints: readonly string[];
}

export interface Stage {
  readonly teal: Teal;
  /** Folder with one folder per release. */
  readonly releases: string;
  readonly signal: AbortSignal;
  /** A new scene. */
  readonly title: (text: string) => void;
  readonly print: (line: string) => void;
}

const SCENES = [
  { title: "deploy v2 through 10 %, 50 %, 100 %", verb: ["deploy", "--version", "v2", "--yes"], exit: 0 },
  {
    title: "deploy v3, which answers 500 to a fifth of its requests: Teal takes it back by itself",
    verb: ["deploy", "--version", "v3", "--yes"],
    exit: 3,
  },
  {
    title: "roll back by hand: v1 was retired for v3, and is started again from its files",
    verb: ["rollback"],
    exit: 0,
  },
  { title: "switch by hand to green, where v2 was kept warm", verb: ["switch", "--to", "green"], exit: 0 },
  { title: "roll back by hand to blue, which is warm now", verb: ["rollback"], exit: 0 },
] as const;

/** Everything from the first start to the last rollback, under load from the first release on. */
export async function play(stage: Stage): Promise<Findings> {
  const { teal, signal, title, print } = stage;
  const complaints: string[] = [];
  const scene = async (text: string, verb: readonly string[], expected: number): Promise<void> => {
    title(`${text}\n$ teal ${verb.join(" ")}`);
    const exit = await teal.run(verb, print);
    if (exit !== expected)
      complaints.push(`teal ${verb.join(" ")} exited with ${String(exit)}, not ${String(expected)}`);
  };
  await scene("start Teal", ["up", "--detach"], 0);
  await scene("deploy v1, the first release", ["deploy", "--version", "v1", "--yes"], 0);
  if (complaints.length > 0) throw new Error(complaints.join("; "));

  const url = await trafficUrl(teal);
  const ticker = new Ticker(print);
  const load = new LoadGenerator({
    url,
    rate: RATE,
    mostMs: LONGEST_LOAD_MS,
    signal,
    onOutcome: (outcome) => {
      ticker.count(outcome);
    },
  });
  title(`${String(RATE)} requests a second to ${url}, reads and orders, every answer checked`);
  load.start();
  ticker.start();
  try {
    await sleep(1_500, undefined, { signal });
    for (const { title, verb, exit } of SCENES) {
      await scene(title, verb, exit);
      await sleep(1_000, undefined, { signal });
    }
  } finally {
    ticker.stop();
    await load.stop();
  }
  load.ledger.reconcile(await readAppLedger(stage.releases));
  const receipts = await finalReceipts(teal);
  const summary = load.ledger.summary();
  return {
    summary,
    receipts,
    rollBackMs: timeToRollBack(summary, receipts),
    complaints: [...complaints, ...judge(summary)],
  };
}
