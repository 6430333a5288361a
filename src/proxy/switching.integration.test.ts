import { once } from "node:events";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { Agent, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { crashHook, HEALTH, PATIENCE, ProxyHarness, tableOf, TRAFFIC } from "../../test/proxy-harness.ts";
import type { Notice } from "../wire/protocol.ts";
import type { ProxyProtocol, ServiceTable } from "../wire/proxy.ts";
import { SLOT_BYTES } from "./snapshot-file.ts";

interface Ledger {
  readonly answers: Map<string, number>;
  readonly problems: string[];
  sent: number;
}

/** Sends requests with ids from several clients until it is stopped; an answer that is not its own id's is a problem. */
function load(url: string, clients: number): { readonly ledger: Ledger; stop(): Promise<Ledger> } {
  const ledger: Ledger = { answers: new Map(), problems: [], sent: 0 };
  const stop = new AbortController();
  const agent = new Agent({ keepAlive: true });
  const one = async (id: string): Promise<void> => {
    ledger.sent += 1;
    const method = ledger.sent % 3 === 0 ? "POST" : "GET";
    const sent = request(`${url}/${id}`, { agent, method });
    sent.end(method === "POST" ? id : undefined);
    try {
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      const [name = "", echoed] = (await text(response)).split(" ");
      if (response.statusCode !== 200 || echoed !== `/${id}`)
        ledger.problems.push(`${id}: ${String(response.statusCode)} ${name}`);
      ledger.answers.set(name, (ledger.answers.get(name) ?? 0) + 1);
    } catch (thrown) {
      ledger.problems.push(`${id}: ${String(thrown)}`);
    }
  };
  const running = Array.from({ length: clients }, async (_, client) => {
    for (let n = 0; !stop.signal.aborted; n += 1) await one(`${String(client)}-${String(n)}`);
  });
  return {
    ledger,
    stop: async () => {
      stop.abort();
      await Promise.all(running);
      agent.destroy();
      return ledger;
    },
  };
}

describe("switching at a real proxy", () => {
  let harness: ProxyHarness;
  beforeEach(() => {
    harness = new ProxyHarness();
  });
  afterEach(() => harness.close());

  const named = (name: string) => (incoming: IncomingMessage, response: ServerResponse) => {
    incoming.resume();
    incoming.on("end", () => response.end(`${name} ${String(incoming.url)}`));
  };
  const pair = async (): Promise<Parameters<typeof tableOf>[0]> => ({
    blue: [await harness.app("blue", named("blue")), await harness.app("blue", named("blue"))],
    green: [await harness.app("green", named("green")), await harness.app("green", named("green"))],
  });
  const get = async (): Promise<string> => (await (await fetch(`${harness.url}/x`)).text()).split(" ")[0] ?? "";

  test("many switches under load lose nothing, and after each nothing begins on the old side", async () => {
    const apps = await pair();
    const { pid } = await harness.startProxy();
    const peer = await harness.peer(pid);
    await peer.call("apply", tableOf(apps, { blue: 100 }));
    const running = load(harness.url, 16);
    const took: number[] = [];
    let asked = 0;
    for (let generation = 2; generation <= 60; generation += 1) {
      const to = generation % 2 === 0 ? "green" : "blue";
      const before = performance.now();
      const receipt = await peer.call("apply", tableOf(apps, { [to]: 100 }, { generation }));
      took.push(performance.now() - before);
      expect(receipt.generation).toBe(generation);
      // Begun after the switch was answered: whatever else is under way, these are the new side's.
      const names = await Promise.all(Array.from({ length: 4 }, get));
      expect(new Set(names)).toEqual(new Set([to]));
      asked += names.length;
    }
    const ledger = await running.stop();
    expect(ledger.problems).toEqual([]);
    expect(ledger.sent).toBeGreaterThan(500);
    expect(ledger.answers.get("green")).toBeGreaterThan(100);
    const served = Object.values(apps).flat();
    expect(served.reduce((sum, app) => sum + app.requests, 0)).toBe(ledger.sent + asked);
    const sorted = took.toSorted((a, b) => a - b);
    // No switch waits for the requests that are under way; how fast it is, the benchmark measures.
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(2_000);
  });

  test("a split divides by weight", async () => {
    const apps = await pair();
    const { pid } = await harness.startProxy();
    const peer = await harness.peer(pid);
    await peer.call("apply", tableOf(apps, { blue: 80, green: 20 }));
    const running = load(harness.url, 8);
    await expect.poll(() => running.ledger.sent, PATIENCE).toBeGreaterThan(2_000);
    const { answers, problems, sent } = await running.stop();
    expect(problems).toEqual([]);
    // Binomial: 5 standard deviations of a share of 0.2 in 2,000 are 0.045.
    expect(Math.abs((answers.get("green") ?? 0) / sent - 0.2)).toBeLessThan(0.045);
  });

  test("revert flips back at once, latches, and tells", async () => {
    const apps = await pair();
    const { pid } = await harness.startProxy();
    const told: Notice<ProxyProtocol, "reverted">[] = [];
    const peer = await harness.peer(pid, (peer) => {
      peer.onNotice("reverted", (notice) => told.push(notice));
    });
    await peer.call("apply", tableOf(apps, { blue: 100, green: 0 }));
    const shift = tableOf(
      apps,
      { blue: 0, green: 100 },
      { generation: 2, deployment: "d1", revertTo: { blue: 100, green: 0 } },
    );
    await peer.call("apply", shift);
    expect(await get()).toBe("green");
    const { split } = await peer.call("revert", { service: "web", deployment: "d1" });
    expect(split).toEqual({ fence: 1, generation: 3, weights: { blue: 100, green: 0 } });
    expect(await get()).toBe("blue");
    await expect(peer.call("apply", { ...shift, generation: 4 })).rejects.toMatchObject({ code: "latched" });
    await expect
      .poll(() => told, PATIENCE)
      .toMatchObject([{ deployment: "d1", cause: "revert", split: { generation: 3 } }]);
    expect(await peer.call("revert", { service: "web", deployment: "d1" })).toEqual({ split });
    expect(told).toHaveLength(1);
  });

  test("a revert does not take traffic to an environment without a healthy instance", async () => {
    const apps = await pair();
    const { pid } = await harness.startProxy();
    const peer = await harness.peer(pid);
    const shift = { generation: 2, deployment: "d1", revertTo: { blue: 100, green: 0 } };
    await peer.call("apply", tableOf(apps, { blue: 0, green: 100 }, shift));
    for (const app of apps["blue"] ?? []) app.health = 500;
    const sick = async (): Promise<boolean> =>
      (await peer.call("observe", { service: "web" })).instances.every(
        ({ environment, healthy }) => healthy === (environment === "green"),
      );
    await expect.poll(sick, PATIENCE).toBe(true);
    const { split } = await peer.call("revert", { service: "web", deployment: "d1" });
    expect(split).toMatchObject({ generation: 2, weights: { green: 100 } });
    expect((await peer.call("observe", { service: "web" })).latched).toMatchObject([{ deployment: "d1" }]);
    expect(await get()).toBe("green");
    for (const app of apps["blue"] ?? []) app.health = 200;
    const again = async (): Promise<unknown> =>
      (await peer.call("revert", { service: "web", deployment: "d1" })).split?.weights;
    await expect.poll(again, PATIENCE).toMatchObject({ blue: 100 });
    expect(await get()).toBe("blue");
  });

  test("silence of the controller in an unfinished shift reverts it", async () => {
    const apps = await pair();
    const { pid } = await harness.startProxy({ controllerLossMs: 4_000 });
    const peer = await harness.peer(pid);
    const told = Promise.withResolvers<Notice<ProxyProtocol, "reverted">>();
    peer.onNotice("reverted", told.resolve);
    await peer.call("apply", tableOf(apps, { blue: 100, green: 0 }));
    const shift = { generation: 2, deployment: "d1", revertTo: { blue: 100, green: 0 } };
    await peer.call("apply", tableOf(apps, { blue: 50, green: 50 }, shift));
    for (let n = 0; n < 50; n += 1) {
      await wait(100);
      await peer.call("ping", {});
    }
    expect((await peer.call("observe", { service: "web" })).armed).not.toBeNull();
    expect(await told.promise).toMatchObject({ cause: "controller-loss", split: { weights: { blue: 100 } } });
    expect(await get()).toBe("blue");
  });

  test("a new proxy on the same sockets serves from the snapshot after kill -9, and refuses nobody", async () => {
    const apps = await pair();
    const first = await harness.startProxy();
    const peer = await harness.peer(first.pid);
    await peer.call("apply", tableOf(apps, { blue: 100, green: 0 }));
    const shift = { generation: 2, deployment: "d1", revertTo: { blue: 100, green: 0 } };
    await peer.call("apply", tableOf(apps, { blue: 0, green: 100 }, shift));
    await peer.call("revert", { service: "web", deployment: "d0" });
    first.kill("SIGKILL");
    await once(first, "exit");
    const waiting = get();
    const second = await harness.startProxy();
    expect(await waiting).toBe("green");
    const again = await harness.peer(second.pid);
    const seen = await again.call("observe", { service: "web" });
    expect(seen).toMatchObject({
      split: { fence: 1, generation: 2 },
      armed: { deployment: "d1" },
      latched: [{ deployment: "d0" }],
    });
    await again.call("revert", { service: "web", deployment: "d1" });
    expect(await get()).toBe("blue");
  });

  test("a torn snapshot falls back to the one before", async () => {
    const apps = await pair();
    const first = await harness.startProxy();
    const peer = await harness.peer(first.pid);
    await peer.call("apply", tableOf(apps, { blue: 100 }));
    await peer.call("apply", tableOf(apps, { green: 100 }, { generation: 2 }));
    first.kill("SIGKILL");
    await once(first, "exit");
    const fd = openSync(harness.paths.proxySnapshot, "r+");
    // The second write went to the second slot.
    writeSync(fd, "torn", SLOT_BYTES + 60);
    closeSync(fd);
    await harness.startProxy();
    expect(await get()).toBe("blue");
  });

  test("a worker that dies is replaced, and the process goes on", async () => {
    const apps = await pair();
    const trigger = join(harness.folder, "crash");
    const hook = join(harness.folder, "hook.mjs");
    writeFileSync(hook, crashHook(trigger));
    const { pid } = await harness.startProxy({ workers: 1 }, ["--import", hook]);
    const peer = await harness.peer(pid);
    await peer.call("apply", tableOf(apps, { blue: 100 }));
    writeFileSync(trigger, "");
    await expect.poll(() => harness.log, PATIENCE).toContain("worker 0 ended");
    expect(await get()).toBe("blue");
    await peer.call("apply", tableOf(apps, { green: 100 }, { generation: 2 }));
    expect(await get()).toBe("green");
    expect((await peer.call("ping", {})).pid).toBe(pid);
  });

  test("an app that is away for a moment costs waiting, not requests; one that stays away is a 503", async () => {
    const app = await harness.app("blue");
    const { port } = app;
    const { pid } = await harness.startProxy();
    const peer = await harness.peer(pid);
    await peer.call("apply", tableOf({ blue: [app] }, { blue: 100 }));
    await app.stop();
    const waiting = fetch(harness.url);
    await wait(300);
    const back = await harness.app("unused");
    await back.stop();
    await app.listen(port);
    expect((await waiting).status).toBe(200);
    await app.stop();
    const refused = await fetch(harness.url);
    expect([refused.status, refused.headers.get("teal-error")]).toEqual([503, "no-instance"]);
  });

  test("a refused connect goes to another instance, and in a deployment to the other environment", async () => {
    const apps = await pair();
    const slow = { ...HEALTH, intervalMs: 60_000 };
    const { pid } = await harness.startProxy();
    const samples: Notice<ProxyProtocol, "sample">["samples"] = [];
    const peer = await harness.peer(pid, (peer) => {
      peer.onNotice("sample", (notice) => void samples.splice(0, samples.length, ...notice.samples));
    });
    const shift = { deployment: "d1", revertTo: { blue: 100, green: 0 }, health: slow };
    await peer.call("apply", tableOf(apps, { blue: 1, green: 99 }, shift));
    await apps["green"]?.[0]?.stop();
    for (let n = 0; n < 10; n += 1) await get();
    await apps["green"]?.[1]?.stop();
    for (let n = 0; n < 20; n += 1) expect((await fetch(`${harness.url}/x`)).status).toBe(200);
    // A rescue counts when it begins, a failure when it is answered: the numbers are to be those of the end.
    const environments = () => samples[0]?.environments ?? {};
    await expect
      .poll(() => Object.values(environments()).reduce((sum, { requests }) => sum + requests, 0), PATIENCE)
      .toBe(30);
    const { green } = environments();
    expect(green?.rescued).toBeGreaterThan(10);
    expect(green?.failures).toBe(green?.rescued);
    expect(green?.connectFailures).toBeGreaterThan(0);
    expect(green?.retried).toBeGreaterThan(0);
  });

  test("what is over its drain time is cut, long-lived ones later, and the receipt says so", async () => {
    const open: ServerResponse[] = [];
    const stuck = (incoming: IncomingMessage, response: ServerResponse): void => {
      open.push(response);
      if (incoming.url === "/events") response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      if (incoming.url === "/quick") response.write("part");
    };
    const apps = { blue: [await harness.app("blue", stuck)], green: [await harness.app("green", named("green"))] };
    const { pid } = await harness.startProxy();
    const receipts: Notice<ProxyProtocol, "receipt">[] = [];
    const peer = await harness.peer(pid, (peer) => {
      peer.onNotice("receipt", (receipt) => receipts.push(receipt));
    });
    const traffic: ServiceTable["traffic"] = { ...TRAFFIC, drainMs: 300, longLivedMs: 700 };
    await peer.call("apply", tableOf(apps, { blue: 100 }, { traffic }));
    const ended: string[] = [];
    const begin = (path: string): Promise<void> =>
      fetch(`${harness.url}${path}`)
        .then((response) => response.text())
        .then(
          () => ended.push(`${path} whole`),
          () => ended.push(`${path} cut`),
        )
        .then(() => undefined);
    const all = ["/stuck", "/events", "/quick"].map(begin);
    await expect.poll(() => open.length, PATIENCE).toBe(3);
    const receipt = await peer.call("apply", tableOf(apps, { green: 100 }, { traffic, generation: 2 }));
    expect(receipt).toMatchObject({ inFlight: 3, drained: 0, cut: 0, final: false });
    for (const response of open) if (response.req.url === "/quick") response.end();
    await Promise.all(all);
    expect(ended).toEqual(["/quick whole", "/stuck cut", "/events whole"]);
    await expect
      .poll(() => receipts.at(-1), PATIENCE)
      .toMatchObject({ generation: 2, inFlight: 3, drained: 1, cut: 2, failed: 0, final: true });
  });

  test("a draining proxy takes no connection, ends each used one with its next answer, and exits 0", async () => {
    const apps = await pair();
    const first = await harness.startProxy();
    const peer = await harness.peer(first.pid);
    await peer.call("apply", tableOf(apps, { blue: 100 }));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<IncomingMessage> => {
      const [response] = (await once(request(`${harness.url}/x`, { agent }).end(), "response")) as [IncomingMessage];
      await text(response);
      return response;
    };
    expect((await ask()).headers.connection).toBe("keep-alive");
    await harness.startProxy();
    await peer.call("drain", { deadlineMs: 30_000 });
    const exit = once(first, "exit");
    await wait(100);
    expect(first.exitCode).toBeNull();
    expect((await ask()).headers.connection).toBe("close");
    expect(await exit).toEqual([0, null]);
    expect(await get()).toBe("blue");
    agent.destroy();
  });

  test("a draining proxy ends at its deadline", async () => {
    const proxy = await harness.startProxy();
    const idle = connect(harness.port, "127.0.0.1");
    await once(idle, "connect");
    idle.on("error", () => undefined);
    const peer = await harness.peer(proxy.pid);
    await wait(50);
    await peer.call("drain", { deadlineMs: 300 });
    expect(await once(proxy, "exit")).toEqual([0, null]);
    idle.destroy();
  });

  test("replacing the proxy under load loses nothing", async () => {
    const apps = await pair();
    let proxy = await harness.startProxy();
    await (await harness.peer(proxy.pid)).call("apply", tableOf(apps, { blue: 100 }));
    const running = load(harness.url, 12);
    for (let n = 0; n < 4; n += 1) {
      const next = await harness.startProxy();
      await (await harness.peer(proxy.pid)).call("drain", { deadlineMs: 5_000 });
      expect(await once(proxy, "exit")).toEqual([0, null]);
      proxy = next;
    }
    const ledger = await running.stop();
    expect(ledger.problems).toEqual([]);
    expect(ledger.sent).toBeGreaterThan(500);
  });

  test("remove: no release, and nothing older comes back", async () => {
    const apps = await pair();
    const { pid } = await harness.startProxy();
    const peer = await harness.peer(pid);
    await peer.call("apply", tableOf(apps, { blue: 100 }));
    await peer.call("remove", { service: "web", fence: 1 });
    await peer.call("remove", { service: "web", fence: 1 });
    const answer = await fetch(harness.url);
    expect([answer.status, answer.headers.get("teal-error")]).toEqual([503, "no-release"]);
    await expect(peer.call("apply", tableOf(apps, { blue: 100 }))).rejects.toMatchObject({ code: "fenced" });
    await peer.call("apply", tableOf(apps, { blue: 100 }, { fence: 2 }));
    expect(await get()).toBe("blue");
  });
});
