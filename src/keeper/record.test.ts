import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HEALTH } from "../../test/keeper-harness.ts";
import { proxySettings } from "../wire/shapes.ts";
import { isToGoOn, type KeeperRecord, loadRecord, printInstance, printRecord, RecordFile } from "./record.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-record-"));
  path = join(folder, "keeper.json");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** As version 1 was written first. Never change it: keepers of that time have left it on disks. */
const FIRST = {
  version: 1,
  bootId: "b87b8a60-1189-4347-ad19-f0040114c5f3",
  listeners: [{ listen: "127.0.0.1:0", address: "127.0.0.1:40001" }],
  proxies: [{ pid: 11, startTicks: 1_001, startedAt: 1_000, draining: false, listen: ["127.0.0.1:0"] }],
  server: { pid: 12, startTicks: 1_002, startedAt: 1_000 },
  instances: [
    {
      pid: 13,
      startTicks: 1_003,
      startedAt: 1_000,
      spec: {
        id: "web/blue/v1/0",
        service: "web",
        environment: "blue",
        release: "v1",
        ordinal: 0,
        command: ["node", "server.js"],
        directory: "/srv/web",
        user: null,
        stop: { signal: "SIGTERM", timeoutMs: 30_000 },
        health: HEALTH,
      },
      port: 20_000,
      ready: true,
      restarts: 2,
    },
  ],
} as const;

/** The same to this keeper. */
const READ = {
  ...FIRST,
  version: 1,
  listeners: [...FIRST.listeners],
  goingDown: false,
  proxies: FIRST.proxies.map((proxy) => ({ ...proxy, listen: [...proxy.listen], settings: proxySettings.parse({}) })),
  instances: FIRST.instances.map((instance) => ({
    ...instance,
    spec: { ...instance.spec, command: [...instance.spec.command] },
  })),
} satisfies KeeperRecord;

const load = (): Promise<KeeperRecord | null> => loadRecord(path, () => undefined);

test("the first format is read", async () => {
  writeFileSync(path, JSON.stringify(FIRST));
  expect(await load()).toEqual(READ);
});

test("what is saved is read back, by its owner alone; many saves at once end with the last", async () => {
  let restarts = 0;
  const { instances, ...rest } = READ;
  const current = (): Buffer =>
    printRecord(
      rest,
      instances.map((instance) => printInstance({ ...instance, restarts })),
    );
  const file = new RecordFile(path, current, (text) => expect.unreachable(text));
  const saves: Promise<void>[] = [];
  for (restarts = 1; restarts <= 20; restarts += 1) saves.push(file.save());
  await Promise.all(saves);
  await file.save();
  expect((await load())?.instances[0]?.restarts).toBe(21);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(existsSync(`${path}.new`)).toBe(false);
});

test("what is printed is one document, with any number of instances", () => {
  const { instances, ...rest } = READ;
  const lines = instances.map(printInstance);
  for (const count of [0, 1, 3]) {
    const all = Array.from({ length: count }, () => lines).flat();
    const printed: unknown = JSON.parse(printRecord(rest, all).toString());
    expect(printed).toEqual({ ...READ, instances: Array(count).fill(instances[0]) });
  }
});

test("none is none, and one that is of no use is set aside", async () => {
  expect(await load()).toBeNull();
  writeFileSync(path, "{ half");
  const warnings: string[] = [];
  expect(await loadRecord(path, (text) => warnings.push(text))).toBeNull();
  expect(warnings[0]).toContain("keeper.json.unreadable");
  expect(readFileSync(`${path}.unreadable`, "utf8")).toBe("{ half");
  expect(await load()).toBeNull();
});

test("only a record that says so, or is not there, stands for an end that somebody wanted", async () => {
  expect(await isToGoOn(path)).toBe(false);
  writeFileSync(path, JSON.stringify(FIRST));
  expect(await isToGoOn(path)).toBe(true);
  writeFileSync(path, JSON.stringify({ ...FIRST, goingDown: true }));
  expect(await isToGoOn(path)).toBe(false);
  writeFileSync(path, "{ half");
  expect(await isToGoOn(path)).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("{ half");
});

test("a disk that refuses is told, and keeps nobody from going on", async () => {
  const warnings: string[] = [];
  const file = new RecordFile(
    join(folder, "gone", "keeper.json"),
    () => Buffer.from(JSON.stringify(READ)),
    (text) => warnings.push(text),
  );
  await file.save();
  expect(warnings[0]).toMatch(/could not be written: ENOENT/);
});
