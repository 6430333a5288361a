import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, openSync } from "node:fs";
import { chmod, open, stat, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { Finding } from "../src/main/doctor/finding.ts";
import { goOn, Site } from "./site.ts";

interface Examined {
  readonly code: number;
  /** Those that are not ok, as `state check`. */
  readonly found: readonly string[];
  readonly findings: readonly Finding[];
}

async function examined(site: Site): Promise<Examined> {
  const { code, stdout, stderr } = await site.cli("doctor", "--json");
  if (stdout === "") throw new Error(`no findings: ${stderr}`);
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  const found = findings.filter(({ state }) => state !== "ok").map(({ state, check }) => `${state} ${check}`);
  return { code, found, findings };
}

/** A site that is well, but for what this machine itself lacks. */
async function wellSite(): Promise<{ site: Site; usual: readonly string[] }> {
  await using stack = new AsyncDisposableStack();
  const site = stack.use(await Site.up());
  expect((await site.deployed("v1")).state).toBe("completed");
  await site.until("the ballast is there", async () => existsSync(join(site.paths.root, "ballast")), 20_000);
  const { code, found, findings } = await examined(site);
  expect([code, findings.filter(({ state }) => state === "problem")]).toEqual([0, []]);
  stack.move();
  return { site, usual: found };
}

test("a Teal that is well has no finding; each thing that is broken in it has its own", async () => {
  const { site: made, usual } = await wellSite();
  await using site = made;
  const broken = async (): Promise<readonly string[]> =>
    (await examined(site)).found.filter((each) => !usual.includes(each));
  const { root, database } = site.paths;

  await chmod(database, 0o644);
  await chmod(root, 0o777);
  expect(await broken()).toEqual(["problem permissions", "problem permissions"]);
  await chmod(database, 0o600);
  await chmod(root, 0o711);

  await writeFile(join(root, "proxy-999999999.sock"), "", { mode: 0o600 });
  expect(await broken()).toEqual(["warning sockets"]);

  const { mtime } = await stat(database);
  await utimes(site.paths.keeperRecord, mtime, new Date(Date.now() + 3_600_000));
  expect(await broken()).toEqual(["warning sockets", "problem clock"].toReversed());
  await utimes(site.paths.keeperRecord, mtime, mtime);

  const fifo = openSync(join(site.paths.run, "stray.log"), constants.O_CREAT | constants.O_WRONLY, 0o600);
  const env = { ...process.env, TEAL_INSTANCE: "web/blue/gone/1" };
  const stray = spawn("sleep", ["300"], { env, detached: true, stdio: ["ignore", fifo, "ignore"] });
  closeSync(fifo);
  try {
    await once(stray, "spawn");
    expect(await broken()).toEqual(["problem orphans", "warning sockets"]);
  } finally {
    stray.kill("SIGKILL");
    await once(stray, "exit");
  }
  expect(await broken()).toEqual(["warning sockets"]);
});

test("a record that is not what the proxy does is found: fence, split, numbers of events", async () => {
  const { site: made, usual } = await wellSite();
  await using site = made;
  const broken = async (): Promise<readonly string[]> =>
    (await examined(site)).found.filter((each) => !usual.includes(each));
  const change = (sql: string): void => {
    using database = new DatabaseSync(site.paths.database, { timeout: 5_000 });
    database.exec(sql);
  };
  const [row] = (await site.client.status()).services;
  const fence = String(row?.fence);

  change("UPDATE services SET fence = 0");
  expect(await broken()).toContain("problem fence web");
  change(`UPDATE services SET fence = ${fence}`);

  change(`UPDATE services SET weights = '{"blue":40,"green":60}'`);
  expect(await broken()).toEqual(["problem service web"]);
  change(`UPDATE services SET weights = '{"blue":100,"green":0}'`);

  change("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'events'");
  expect(await broken()).toContain("problem journal");
  change("UPDATE sqlite_sequence SET seq = (SELECT max(seq) FROM events) WHERE name = 'events'");
  expect(await broken()).toEqual([]);
});

test("a journal that somebody has changed is found, with the first event that does not fit, also against a noted head", async () => {
  const { site: made } = await wellSite();
  await using site = made;
  using database = new DatabaseSync(site.paths.database, { timeout: 5_000 });
  const journal = async (...options: readonly string[]): Promise<readonly Finding[]> => {
    const { stdout } = await site.cli("doctor", "--json", ...options);
    const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
    return findings.filter(({ check }) => ["journal", "noted"].includes(check));
  };
  const [well] = await journal();
  const { seq = 0, hash = "" } = well?.head ?? {};
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(well).toMatchObject({
    state: "ok",
    message: expect.stringContaining(`head ${String(seq)}:${hash.slice(0, 12)}`),
  });
  expect((await site.deployed("v2")).state).toBe("completed");
  const noted = ["--noted", `${String(seq)}:${hash.slice(0, 12)}`];
  expect(await journal(...noted)).toMatchObject([{ state: "ok" }, { check: "noted", state: "ok" }]);
  expect(await journal("--noted", `${String(seq)}:${"0".repeat(12)}`)).toMatchObject([{}, { state: "problem" }]);
  expect(await journal("--noted", `${String(seq + 100_000)}:${"0".repeat(12)}`)).toMatchObject([
    {},
    { state: "problem" },
  ]);
  expect(await site.cli("doctor", "--noted", "120")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--noted"),
  });

  const { data } = database.prepare("SELECT data FROM events WHERE seq = 3").get() ?? {};
  database.exec(`UPDATE events SET data = json_set(data, '$.by', 'nobody') WHERE seq = 3`);
  expect(await journal(...noted)).toMatchObject([
    { state: "problem", message: expect.stringContaining("event 3 "), remedy: expect.stringContaining("backup") },
    { check: "noted", state: "warning" },
  ]);
  database.prepare("UPDATE events SET data = ? WHERE seq = 3").run(data ?? null);
  expect(await journal(...noted)).toMatchObject([{ state: "ok" }, { state: "ok" }]);

  // What is written after that goes on from what was there, and does not hide it.
  database.exec("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)");
  expect(await journal()).toMatchObject([
    { state: "problem", message: expect.stringMatching(/^event \d+ is missing/) },
  ]);
  expect((await site.deployed("v3")).state).toBe("completed");
  expect(await journal()).toMatchObject([
    { state: "problem", message: expect.stringMatching(/^event \d+ is missing/) },
  ]);
});

test("a server that hangs, and one that is gone with its keeper, are found by what still answers", async () => {
  const { site: made } = await wellSite();
  await using site = made;
  // It is replaced after 10 s: where that came first, the next one is stopped.
  const isServerFound = await site.until("a server that hangs is found", async () => {
    const { server } = await site.pids();
    if (server === null) return false;
    process.kill(server, "SIGSTOP");
    const { code, found, findings } = await examined(site);
    goOn(server);
    const remedy = findings.find(({ check }) => check === "server")?.remedy ?? "";
    return code === 1 && found.includes("problem server") && remedy.includes(`kill -9 ${String(server)}`);
  });
  const isProxyFound = await site.until("a proxy that hangs is found", async () => {
    const [proxy = 0] = (await site.pids()).proxies;
    process.kill(proxy, "SIGSTOP");
    const { found } = await examined(site);
    goOn(proxy);
    return found.includes("problem proxy");
  });
  expect([isServerFound, isProxyFound]).toEqual([true, true]);
});

test("where nothing runs the store, the ports and the files are looked at all the same", async () => {
  const { site: made } = await wellSite();
  await using site = made;
  const port = Number(new URL(site.url).port);
  await site.configure({}, `127.0.0.1:${String(port)}`);
  expect((await site.cli("down", "--yes")).code).toBe(0);
  await site.start();
  expect((await site.cli("down", "--yes")).code).toBe(0);

  const down = await examined(site);
  expect([down.code, down.found.filter((each) => each.startsWith("problem"))]).toEqual([1, ["problem keeper"]]);

  const stranger = createServer().listen(port, "127.0.0.1");
  await once(stranger, "listening");
  const taken = await examined(site);
  stranger.close();
  expect(taken.findings).toContainEqual(
    expect.objectContaining({ check: "ports", state: "problem", message: expect.stringContaining("is taken by") }),
  );

  const { size } = await stat(site.paths.database);
  const file = await open(site.paths.database, "r+");
  for (let at = 4_096; at < size; at += 4_096) await file.write(Buffer.alloc(512, 0xff), 0, 512, at);
  await file.close();
  expect((await examined(site)).found).toContain("problem store");
});

test("where Teal never ran there is nothing to be found but that", async () => {
  const site = await Site.create();
  const { code, found } = await examined(site);
  expect([code, found.filter((each) => !each.includes("open-files"))]).toEqual([
    0,
    ["warning state-directory", "warning keeper"],
  ]);
  await site[Symbol.asyncDispose]();
});
