import { once } from "node:events";
import { readLedgerFolder } from "../../bench/lib/app-ledger.ts";
import { LoadGenerator } from "../../bench/lib/load-generator.ts";

// node load.ts URL LEDGERS: sends until its input ends, holds what was sent against the apps' own ledgers, and prints the summary.
const [, , url, ledgers] = process.argv;
if (url === undefined || ledgers === undefined) throw new Error("usage: load.ts URL LEDGERS");
const load = new LoadGenerator({ url, rate: 100, mostMs: 300_000 });
load.start();
await once(process.stdin.resume(), "end");
await load.stop();
load.ledger.reconcile(await readLedgerFolder(ledgers));
process.stdout.write(`${JSON.stringify(load.ledger.summary())}\n`);
