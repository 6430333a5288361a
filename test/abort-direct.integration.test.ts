import { readdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { goOn, Site } from "./site.ts";

interface Direct {
  readonly deployment: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly reverted: boolean;
  readonly proxies: number;
  readonly tookMs: number;
}

const SLOW = { deploy: { shift: [{ weight: 50, for: "60s" }] } };

/** v1 on blue; v2 has half of the traffic. Returns the deployment and the server's process. */
async function shifting(site: Site): Promise<{ id: string; server: number }> {
  expect((await site.deployed("v1")).state).toBe("completed");
  await site.configure(SLOW);
  const id = await site.deploy("v2");
  await site.until("50 %", async () => (await site.service()).observed?.["green"] === 50);
  const { server } = await site.pids();
  if (server === null) throw new Error("no server runs");
  return { id, server };
}

async function direct(site: Site): Promise<Direct> {
  const { code, stdout, stderr } = await site.cli("abort", "--direct", "--json", "--reason", "wrong version");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Direct;
}

/** The version that answers a request. */
async function served(site: Site): Promise<Set<string>> {
  const versions = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const answer = (await (await fetch(site.url)).json()) as { version: string };
      return answer.version;
    }),
  );
  return new Set(versions);
}

test("abort --direct gives the traffic back while the server is stopped, and the server does the rest when it goes on", async () => {
  await using site = await Site.up();
  const { id, server } = await shifting(site);
  const both = await served(site);
  process.kill(server, "SIGSTOP");
  try {
    const done = await direct(site);
    expect(done).toMatchObject({ deployment: id, weights: { blue: 100, green: 0 }, reverted: true, proxies: 1 });
    expect(done.tookMs).toBeLessThan(10_000);
    expect(both.size).toBe(2);
    expect((await served(site)).size).toBe(1);
    const again = await site.cli("abort", "--direct");
    expect([again.code, again.stderr]).toEqual([6, expect.stringContaining("nothing-to-abort")]);
  } finally {
    goOn(server);
  }
  const cause = { kind: "abort", by: userInfo().username, reason: "wrong version" };
  expect(await site.ended(id)).toMatchObject({ state: "aborted", cause });
  expect(await site.service()).toMatchObject({ active: "blue", observed: { blue: 100 }, deployment: null });
});

test("the word of who aborts is at the proxy until a server reads it, though all of Teal is killed in between", async () => {
  await using site = await Site.up();
  const { id, server } = await shifting(site);
  process.kill(server, "SIGSTOP");
  await direct(site);
  const { keeper, proxies } = await site.pids();
  for (const pid of [keeper, server, ...proxies]) process.kill(pid, "SIGKILL");
  await site.start();
  const cause = { kind: "abort", by: userInfo().username, reason: "wrong version" };
  expect(await site.ended(id)).toMatchObject({ state: "aborted", cause });
});

test("abort --direct works when the server is killed and its store is unreadable", async () => {
  await using site = await Site.up();
  const { id, server } = await shifting(site);
  for (const name of await readdir(site.paths.root)) {
    if (name.startsWith("teal.db")) await writeFile(join(site.paths.root, name), "this is no database any more");
  }
  process.kill(server, "SIGKILL");
  expect(await direct(site)).toMatchObject({ deployment: id, weights: { blue: 100 }, reverted: true });
  expect((await served(site)).size).toBe(1);
});

test("abort --direct without a proxy says that there is no traffic to give back", async () => {
  await using site = await Site.create();
  const { code, stderr } = await site.cli("abort", "--direct");
  expect([code, stderr]).toEqual([1, expect.stringContaining("data-plane-down")]);
});
