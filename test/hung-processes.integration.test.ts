import { readdirSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { goOn, Site } from "./site.ts";

/** `GET /metrics` of the API. */
function scrape(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path: "/metrics" }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

/** proc_pid_stat(5): whether each thread of the process is stopped. */
function areStopped(pid: number): boolean {
  const tasks = `/proc/${String(pid)}/task`;
  return readdirSync(tasks).every((thread) => {
    const stat = readFileSync(join(tasks, thread, "stat"), "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
  });
}

async function serverPid(site: Site): Promise<number> {
  const { server } = await site.pids();
  if (server === null) throw new Error("no server runs");
  return server;
}

/** Waits until another is there, and it is told why. */
async function keeperAfterHung(site: Site, before: number): Promise<void> {
  const next = await site.until(
    "another keeper",
    async () => {
      const keeper = (await site.pids().catch(() => null))?.keeper ?? before;
      return keeper === before ? null : keeper;
    },
    60_000,
  );
  await site.until("it is told why", async () => {
    const { stdout } = await site.cli("events", "--json");
    return stdout
      .split("\n")
      .some(
        (line) =>
          line.includes(`"process":"keeper","pid":${String(next)},"before":${String(before)}`) &&
          line.includes('"cause":"hung"'),
      );
  });
}

test.concurrent(
  "a server that is stopped is replaced within seconds; apps, proxy and traffic do not notice",
  async () => {
    await using site = await Site.up();
    expect((await site.deployed("v1")).state).toBe("completed");
    const before = await site.pids();
    const apps = await site.appPids();
    const hung = await serverPid(site);
    process.kill(hung, "SIGSTOP");
    expect((await fetch(site.url)).status).toBe(200);
    const next = await site.until("another server", async () => {
      const { server } = await site.pids();
      return server !== null && server !== hung ? server : null;
    });
    await site.until("it says why it is there", async () => {
      const { stdout } = await site.cli("events", "--json");
      return stdout
        .split("\n")
        .filter((line) => line.includes('"process-replaced"'))
        .some((line) => line.includes(`"process":"server","pid":${String(next)},"before":${String(hung)}`));
    });
    expect(await site.log("keeper")).toContain(
      `the server (pid ${String(hung)}) has not answered for 10 s: it is stopped, as by SIGSTOP; it is ended`,
    );
    await site.until("it is counted", async () =>
      (await scrape(site.paths.apiSocket)).includes("teal_server_hangs_total 1"),
    );
    expect(await site.appPids()).toEqual(apps);
    expect(await site.pids()).toMatchObject({ keeper: before.keeper, proxies: before.proxies });
    expect((await site.deployed("v2")).state).toBe("completed");
  },
);

test.concurrent("a keeper that stood still itself ends no server that is well by then", async () => {
  await using site = await Site.up();
  const { keeper } = await site.pids();
  const server = await serverPid(site);
  process.kill(server, "SIGSTOP");
  process.kill(keeper, "SIGSTOP");
  // Longer than it takes to say that a server hangs: of this time the keeper itself knows nothing.
  const until = performance.now() + 12_000;
  await site.until("time passes", () => Promise.resolve(performance.now() > until));
  goOn(server);
  goOn(keeper);
  await site.until("the server answers", () => site.client.status());
  expect(await serverPid(site)).toBe(server);
  expect(await site.log("keeper")).not.toContain("has not answered");
});

test.concurrent("a keeper that is stopped is replaced; apps, proxy, server and traffic do not notice", async () => {
  await using site = await Site.up();
  expect((await site.deployed("v1")).state).toBe("completed");
  const before = await site.pids();
  const apps = await site.appPids();
  process.kill(before.keeper, "SIGSTOP");
  expect((await fetch(site.url)).status).toBe(200);
  await keeperAfterHung(site, before.keeper);
  expect(await site.log("proxy")).toContain(`the keeper (process ${String(before.keeper)}) has not answered for 20 s`);
  expect(await site.appPids()).toEqual(apps);
  expect(await site.pids()).toMatchObject({ server: before.server, proxies: before.proxies });
  expect((await fetch(site.url)).status).toBe(200);
  expect((await site.deployed("v2")).state).toBe("completed");
});

test.concurrent(
  "a keeper that is stopped while no proxy lives is replaced by the server; then there is traffic again",
  async () => {
    await using site = await Site.up();
    expect((await site.deployed("v1")).state).toBe("completed");
    const before = await site.pids();
    const apps = await site.appPids();
    process.kill(before.keeper, "SIGSTOP");
    for (const pid of before.proxies) process.kill(pid, "SIGKILL");
    await keeperAfterHung(site, before.keeper);
    expect(await site.log("server")).toContain(
      `the keeper (process ${String(before.keeper)}) has not answered for 25 s`,
    );
    await site.until("an answer", async () => (await fetch(site.url).catch(() => null))?.status === 200);
    expect(await site.appPids()).toEqual(apps);
    expect((await site.pids()).server).toBe(before.server);
    expect((await site.deployed("v2")).state).toBe("completed");
  },
);

test.concurrent("a proxy whose every thread stands still is replaced, as nobody is served by it", async () => {
  await using site = await Site.up();
  expect((await site.deployed("v1")).state).toBe("completed");
  const [hung = 0] = (await site.pids()).proxies;
  process.kill(hung, "SIGSTOP");
  // Until then a thread may still accept, and that connection ends with the process.
  await site.until("all of its threads stand still", () => Promise.resolve(areStopped(hung)));
  // The kernel keeps the connection until the next proxy accepts it.
  const answer = await fetch(site.url, { signal: AbortSignal.timeout(60_000) });
  expect(answer.status).toBe(200);
  expect((await site.pids()).proxies).not.toContain(hung);
  expect(await site.log("keeper")).toContain(`the proxy (pid ${String(hung)}) has not answered for 10 s`);
});
