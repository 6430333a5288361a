import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Orders by id, with how often each was taken. */
export type AppLedger = Map<string, number>;

/**
 * What all instances of examples/web-node have taken, from the files that they leave in `ledger/` of their release's
 * folder, so that instances that have ended count too. `releases`: the folder with one folder per release, none of which
 * may have been removed.
 */
export async function readAppLedger(releases: string): Promise<AppLedger> {
  const ledger: AppLedger = new Map();
  for (const release of await readdir(releases)) await countFolder(ledger, join(releases, release, "ledger"));
  return ledger;
}

/** The same where all of them were given one folder by `LEDGER_DIR`: it outlives the releases. */
export async function readLedgerFolder(folder: string): Promise<AppLedger> {
  const ledger: AppLedger = new Map();
  await countFolder(ledger, folder);
  return ledger;
}

async function countFolder(ledger: AppLedger, folder: string): Promise<void> {
  const files = await readdir(folder).catch((thrown: unknown) => {
    // A release that has taken no order, or a file beside the releases.
    if (thrown instanceof Error && "code" in thrown && ["ENOENT", "ENOTDIR"].includes(String(thrown.code))) return [];
    throw thrown;
  });
  for (const file of files) count(ledger, await readFile(join(folder, file), "utf8"));
}

function count(ledger: AppLedger, text: string): void {
  for (const id of text.split("\n")) if (id !== "") ledger.set(id, (ledger.get(id) ?? 0) + 1);
}
