import { expect, test } from "vitest";
import { connectPeer } from "../src/wire/connect.ts";
import { PROXY_PROTOCOL } from "../src/wire/proxy.ts";
import { goOn, Site } from "./site.ts";

const SLOW = { deploy: { shift: [{ weight: 50, for: "60s" }] } };

test("a status is what the proxy has just become, whoever changed it, and nothing of a proxy that stands still", async () => {
  await using site = await Site.up();
  for (const version of ["v1", "v2"]) expect((await site.deployed(version)).state).toBe("completed");
  const observed = async (): Promise<unknown> => (await site.service()).observed;
  const healthy = async (): Promise<number> => {
    const { environments } = await site.service();
    return environments.flatMap(({ instances }) => instances.filter((one) => one.healthy)).length;
  };
  expect(await observed()).toEqual({ blue: 0, green: 100 });

  for (const blue of [30, 31, 32, 0]) {
    const weights = { blue, green: 100 - blue };
    await site.client.traffic("web", { weights, reason: "a try" });
    expect(await observed()).toEqual(weights);
  }

  await site.configure(SLOW);
  const id = await site.deploy("v3");
  await site.until("50 %", async () => ((await observed()) as { blue: number } | null)?.blue === 50);
  await site.client.abort(id, { reason: "a try" });
  expect(await observed()).toEqual({ blue: 0, green: 100 });
  await site.ended(id);

  const again = await site.deploy("v4");
  await site.until("50 %", async () => ((await observed()) as { blue: number } | null)?.blue === 50);
  const [proxy = 0] = (await site.pids()).proxies;
  const past = await connectPeer(site.paths.proxySocket(proxy), PROXY_PROTOCOL, { down: "data-plane-down" });
  await past.call("revert", { service: "web", deployment: again });
  past.close();
  await site.until("it is back", async () => ((await observed()) as { blue: number } | null)?.blue === 0);
  await site.ended(again);

  await site.until("all are healthy", async () => (await healthy()) === 2);
  const [app = 0] = await site.appPids();
  process.kill(app, "SIGSTOP");
  try {
    await site.until("one is not", async () => (await healthy()) === 1);
  } finally {
    goOn(app);
  }
  await site.until("it is again", async () => (await healthy()) === 2);

  process.kill(proxy, "SIGSTOP");
  try {
    await site.until("it is not known", async () => (await observed()) === null);
  } finally {
    goOn(proxy);
  }
  await site.until("it is known again", async () => (await observed()) !== null);
});
