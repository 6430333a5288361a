import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EMPTY_STATUS, standInKeeper } from "../../test/stand-in-keeper.ts";
import type { Clock } from "../model/time.ts";
import { PeerServer } from "../wire/connect.ts";
import { KEEPER_PROTOCOL } from "../wire/keeper.ts";
import { StatePaths } from "../wire/paths.ts";
import { keeperEnd } from "./keeper-end.ts";

let folder: string;
let paths: StatePaths;
let elapsed = 0;
/** Time that each sleep moves on by itself. */
const clock: Clock = {
  now: () => elapsed,
  monotonic: () => elapsed,
  sleep: async (ms) => {
    await turn();
    elapsed += ms;
  },
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-end-"));
  paths = new StatePaths(join(folder, ".teal"));
  mkdirSync(paths.root);
  elapsed = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const end = (signal: AbortSignal): Promise<string> => keeperEnd(join(folder, "teal.yaml"), clock, signal);

test("a watch that is ended while the keeper is being asked ends", async () => {
  const over = new AbortController();
  const reason = new Error("enough");
  const status = (): typeof EMPTY_STATUS => {
    over.abort(reason);
    return EMPTY_STATUS;
  };
  const peers = await PeerServer.listen(paths.keeperSocket, KEEPER_PROTOCOL, standInKeeper({ status }));
  await expect(end(over.signal)).rejects.toBe(reason);
  await peers.close();
});

test.each([
  ["none", "stopped"],
  ['{"version":1}', "died"],
  ['{"version":1,"bootId":"","listeners":[],"proxies":[],"server":null,"instances":[],"goingDown":true}', "stopped"],
])("where no keeper comes any more and its record is %s, Teal has %s", async (record, wanted) => {
  if (record !== "none") writeFileSync(paths.keeperRecord, record);
  expect(await end(new AbortController().signal)).toBe(wanted);
  expect(elapsed).toBe(5_000);
});
