import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { writeTree } from "../src/drivers/release/fixtures.ts";
import { ReleaseFolders } from "../src/drivers/release/folder.ts";
import { readTree } from "../src/drivers/release/tree.ts";
import { RecordFile } from "../src/keeper/record.ts";
import { systemClock } from "../src/main/clock.ts";
import { readLastStart, writeLastStart } from "../src/main/last-start.ts";
import { installRuntime } from "../src/main/runtime.ts";
import { hashOf } from "../src/main/runtime-version.ts";
import { SnapshotFile } from "../src/proxy/snapshot-file.ts";
import { SqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { ensureStateDirectory } from "../src/store/state-directory.ts";
import { replaceFile } from "../src/wire/durable-file.ts";
import { StatePaths } from "../src/wire/paths.ts";
import { proxySettings } from "../src/wire/shapes.ts";
import { CuttableDisk } from "./cuttable-disk.ts";
import { requiresCuttableDisk, type Skippable } from "./requires.ts";

const CRASH_WRITER = resolve(import.meta.dirname, "..", "src", "store", "sqlite", "crash-writer.ts");
/** Of a package and of an app. */
const FILES: Readonly<Record<string, string>> = {
  "server.js": "listen()\n".repeat(2_000),
  "lib/deep/a.js": "export const a = 1;\n",
  current: "-> lib/deep",
};

interface Machine {
  /** A folder on the disk, empty at first. */
  readonly folder: string;
  /** Below it: beside what is the test's own, and not written by who is tested. */
  readonly source: string;
  readonly paths: StatePaths;
  readonly cutPower: () => Promise<void>;
}

/** Each begins with a disk of its own, and an empty state directory to which nothing else is written. */
async function onMachine(context: Skippable, act: (machine: Machine) => Promise<void>): Promise<void> {
  await requiresCuttableDisk(context);
  const folder = mkdtempSync(join(tmpdir(), "teal-durable-"));
  const disk = CuttableDisk.over(folder, ["source"]);
  try {
    const paths = new StatePaths(join(folder, "project", ".teal"));
    ensureStateDirectory(paths.root);
    await act({ folder, source: join(folder, "source"), paths, cutPower: () => disk.cutPower() });
  } finally {
    await disk[Symbol.asyncDispose]();
    // Nothing is mounted on it any more, or that has thrown.
    rmSync(folder, { recursive: true });
  }
}

function raise(thrown: unknown): never {
  throw thrown;
}

test("a state directory that was made is there after a power cut", (context) =>
  onMachine(context, async ({ paths, cutPower }) => {
    await cutPower();
    expect(existsSync(paths.root)).toBe(true);
  }));

test("a file that was replaced is the new one; without a sync it is neither", (context) =>
  onMachine(context, async ({ folder, cutPower }) => {
    for (const name of ["synced", "plain"]) await replaceFile(join(folder, name), "the old one");
    await replaceFile(join(folder, "synced"), "the new one");
    writeFileSync(join(folder, "plain.new"), "the new one");
    renameSync(join(folder, "plain.new"), join(folder, "plain"));
    await cutPower();
    expect(readFileSync(join(folder, "synced"), "utf8")).toBe("the new one");
    expect(readFileSync(join(folder, "plain"), "utf8")).not.toBe("the new one");
  }));

test("what the server last started with is there when it goes on", (context) =>
  onMachine(context, async ({ paths, cutPower }) => {
    for (const port of ["1", "2"]) {
      const start = { config: "/x/teal.yaml", listen: [`127.0.0.1:${port}`], settings: proxySettings.parse({}) };
      await writeLastStart(paths, { ...start, server: { listen: "127.0.0.1:3", hosts: [] } });
      await cutPower();
      expect(readLastStart(paths)?.listen).toEqual([`127.0.0.1:${port}`]);
    }
  }));

test("the keeper's record is the one that was saved last", (context) =>
  onMachine(context, async ({ paths, cutPower }) => {
    for (const text of ["one", "two"]) {
      await new RecordFile(paths.keeperRecord, () => Buffer.from(text), raise).save();
      await cutPower();
      expect(readFileSync(paths.keeperRecord, "utf8")).toBe(text);
    }
  }));

test("the proxy's snapshot is the newest whose sync is over", (context) =>
  onMachine(context, async ({ paths, cutPower }) => {
    for (const text of ["one", "two", "three"]) {
      const file = new SnapshotFile(paths.proxySnapshot, systemClock, raise);
      const bytes = Buffer.from(text);
      await file.save(() => ({ bytes, checksum: (seed) => crc32(bytes, seed) }));
      await file.close();
      await cutPower();
      const after = new SnapshotFile(paths.proxySnapshot, systemClock, raise);
      expect(after.read()).toBe(text);
      await after.close();
    }
  }));

test("a release that was unpacked is whole, record and all", (context) =>
  onMachine(context, async ({ paths, source, cutPower }) => {
    writeTree(source, FILES);
    const { signal } = new AbortController();
    const from = { kind: "dir", dir: source } as const;
    const folders = (): ReleaseFolders => new ReleaseFolders({ releases: paths.releases, stateRoot: paths.root });
    for (const id of ["v1", "v2"]) {
      const { digest, directory } = await folders().unpack("web", id, id, from, signal);
      await cutPower();
      expect(await folders().exists("web", id)).toBe(true);
      expect(await folders().digest(id, { kind: "dir", dir: directory }, signal)).toBe(digest);
      expect((await readTree(directory, signal)).map(({ path }) => path)).toContain("current");
    }
  }));

test("the runtime that was installed is whole", (context) =>
  onMachine(context, async ({ paths, source, cutPower }) => {
    const files = ["keeper.mjs", "proxy.mjs"];
    for (const name of files) writeFileSync(join(source, name), `// ${name}\n`.repeat(2_000));
    const hash = await hashOf(source, files);
    writeFileSync(join(source, "VERSION.json"), JSON.stringify({ version: "1.2.3-abcd", hash, files }));
    const installed = await installRuntime(source, paths.runtime);
    await cutPower();
    expect(await hashOf(installed, files)).toBe(hash);
  }));

test("every transition that the store has told of is there, and none twice", { timeout: 120_000 }, (context) =>
  onMachine(context, async ({ paths, cutPower }) => {
    for (const least of [1, 40, 200]) {
      const child = spawn(process.execPath, [CRASH_WRITER, paths.database], {
        cwd: paths.root,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(child, "exit");
      let [told, cutting]: [number, Promise<void> | null] = [0, null];
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        told = Number(line.split(" ")[0]);
        lines += 1;
        if (lines === least) cutting = cutPower();
      }
      await ended;
      await cutting;
      const store = new SqliteStore(paths.database);
      const n = store.service("web")?.generation ?? 0;
      expect(n).toBeGreaterThanOrEqual(told);
      expect(store.steps("dep_1")[1]).toMatchObject({ attempt: n, progress: { n } });
      const events = store.events(0, 1_000_000).filter(({ type }) => type === "warning");
      expect(events.map(({ data }) => data["n"])).toEqual(Array.from({ length: n }, (_, index) => index + 1));
      store.close();
    }
  }),
);
