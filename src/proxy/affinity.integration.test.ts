import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ProxyHarness, tableOf, TRAFFIC } from "../../test/proxy-harness.ts";
import type { AffinitySpec } from "../model/service.ts";

type Fields = Readonly<Record<string, string>>;
type Side = "blue" | "green";

const USERS = Array.from({ length: 200 }, (_, n) => n);
const KINDS: readonly (readonly [name: string, by: AffinitySpec, fields: (user: number) => Fields])[] = [
  ["cookie", { cookie: "session" }, (user) => ({ cookie: `theme=dark; session=user-${String(user)}` })],
  ["header", { header: "x-user" }, (user) => ({ "X-User": `user-${String(user)}` })],
  // What ends TLS on this machine names its clients so; a client's own word before that does not count.
  ["clientAddress", "clientAddress", (user) => ({ "x-forwarded-for": `10.0.0.1, 192.0.2.${String(user)}` })],
];

let harness: ProxyHarness;
beforeEach(() => {
  harness = new ProxyHarness();
});
afterEach(() => harness.close());

const side = async (headers: Fields): Promise<Side> => (await (await fetch(harness.url, { headers })).text()) as Side;

test.each(KINDS)(
  "by %s, users only move to the new environment, and back only by a revert",
  async (_, by, fieldsOf) => {
    const apps = { blue: [await harness.app("blue")], green: [await harness.app("green")] };
    const traffic = { ...TRAFFIC, affinity: typeof by === "string" ? by : { ...by } };
    const first = await harness.startProxy();
    let peer = await harness.peer(first.pid);
    let generation = 0;
    const apply = (green: number, deployment: string | null) => {
      generation += 1;
      const revertTo = deployment === null ? null : { blue: 100, green: 0 };
      const weights = { blue: 100 - green, green };
      return peer.call("apply", tableOf(apps, weights, { traffic, generation, deployment, revertTo }));
    };
    const sides = (): Promise<Side[]> => Promise.all(USERS.map((user) => side(fieldsOf(user))));
    const onGreen = (all: readonly Side[]): number => all.filter((one) => one === "green").length;

    await apply(0, null);
    let before = await sides();
    expect(onGreen(before)).toBe(0);
    for (const weight of [10, 50, 80]) {
      await apply(weight, "d1");
      const now = await sides();
      expect(now.filter((one, user) => one === "blue" && before[user] === "green")).toEqual([]);
      expect(Math.abs(onGreen(now) - 2 * weight)).toBeLessThan(5 * Math.sqrt(2 * weight * (1 - weight / 100)));
      // The same again, and after upkeep in the middle of the deployment.
      expect(await sides()).toEqual(now);
      await apply(weight, null);
      expect(await sides()).toEqual(now);
      before = now;
    }

    const gone = once(first, "exit");
    first.kill("SIGKILL");
    await gone;
    const second = await harness.startProxy();
    peer = await harness.peer(second.pid);
    expect(await sides(), "a new proxy, from the snapshot").toEqual(before);

    const unknown = await Promise.all(Array.from({ length: 80 }, () => side({})));
    if (by !== "clientAddress") expect(new Set(unknown), "no key: drawn by weight").toEqual(new Set(["blue", "green"]));
    else expect(new Set(unknown).size, "one address, one side").toBe(1);

    await peer.call("revert", { service: "web", deployment: "d1" });
    expect(onGreen(await sides())).toBe(0);
  },
);

test("without affinity one client's requests are split by weight", async () => {
  const apps = { blue: [await harness.app("blue")], green: [await harness.app("green")] };
  const { pid } = await harness.startProxy();
  await (await harness.peer(pid)).call("apply", tableOf(apps, { blue: 50, green: 50 }));
  const all = await Promise.all(Array.from({ length: 80 }, () => side({ cookie: "session=one" })));
  expect(new Set(all)).toEqual(new Set(["blue", "green"]));
});
