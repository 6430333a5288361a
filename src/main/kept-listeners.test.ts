import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { standInKeeper } from "../../test/stand-in-keeper.ts";
import { TealError } from "../model/error.ts";
import type { Clock } from "../model/time.ts";
import { PeerServer } from "../wire/connect.ts";
import { KEEPER_PROTOCOL, type KeeperProtocol } from "../wire/keeper.ts";
import { StatePaths } from "../wire/paths.ts";
import { ReconnectingPeer } from "../wire/reconnecting.ts";
import { keepListeners, listenNow } from "./kept-listeners.ts";

const wanted = { listen: ["127.0.0.1:8080"] };
const ANSWER = { listeners: [], proxies: [] };
const SOON = { timeout: 20_000, interval: 5 };

let paths: StatePaths;
let keeper: ReconnectingPeer<KeeperProtocol>;
let over: AbortController;
let sleeps: number[];
let problems: string[];
let asked: number;
let elapsed: number;
let server: PeerServer<KeeperProtocol> | null;
/** Time that each sleep moves on by itself. */
const clock: Clock = {
  now: () => elapsed,
  monotonic: () => elapsed,
  sleep: async (ms) => {
    await turn();
    sleeps.push(ms);
    elapsed += ms;
  },
};

beforeEach(() => {
  paths = new StatePaths(mkdtempSync(join(tmpdir(), "teal-listen-")));
  keeper = new ReconnectingPeer({ path: paths.keeperSocket, protocol: KEEPER_PROTOCOL, down: "keeper-down" });
  over = new AbortController();
  [sleeps, problems, asked, elapsed, server] = [[], [], 0, 0, null];
});
afterEach(async () => {
  over.abort();
  keeper.close();
  await server?.close();
  rmSync(paths.root, { recursive: true });
});

/** A keeper that refuses so many times first, with this code. */
async function keeperThat(fails: number, how: "port-taken" | "keeper-down" = "port-taken"): Promise<void> {
  await server?.close();
  let left = fails;
  const handlers = standInKeeper({
    "listeners.ensure": (params) => {
      asked += 1;
      expect(params).toEqual(wanted);
      left -= 1;
      if (left >= 0) throw new TealError(how, "not now");
      return ANSWER;
    },
  });
  server = await PeerServer.listen(paths.keeperSocket, KEEPER_PROTOCOL, handlers);
}

const keep = (): void => {
  const report = (problem: TealError): void => void problems.push(problem.code);
  keepListeners({ keeper, wanted, clock, report, signal: over.signal });
};

test("every keeper that comes is told where to listen", async () => {
  keep();
  for (const times of [1, 2, 3]) {
    await keeperThat(0);
    await expect.poll(() => asked, SOON).toBe(times);
  }
  expect([sleeps, problems]).toEqual([[], []]);
});

test("where an address is taken it is asked again, after ever longer pauses, and each time is told", async () => {
  keep();
  await keeperThat(7);
  await expect.poll(() => asked, SOON).toBe(8);
  expect(sleeps).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(problems).toEqual(Array(7).fill("port-taken"));
});

test("a keeper that takes everything down is not asked again", async () => {
  keep();
  await keeperThat(1, "keeper-down");
  await expect.poll(() => asked, SOON).toBe(1);
  await turn();
  expect([asked, sleeps, problems]).toEqual([1, [], []]);
});

test("at its start a server asks again while the keeper goes, and takes any other refusal for an answer", async () => {
  await keeperThat(3, "keeper-down");
  await listenNow({ keeper, wanted, clock });
  expect([asked, sleeps]).toEqual([4, [100, 100, 100]]);
  await keeperThat(1);
  await expect(listenNow({ keeper, wanted, clock })).rejects.toMatchObject({ code: "port-taken" });
});
