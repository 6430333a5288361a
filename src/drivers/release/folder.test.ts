import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder, writeTree } from "./fixtures.ts";
import { ReleaseFolders } from "./folder.ts";
import { GitSource } from "./git.ts";

const live = new AbortController().signal;

describe("release folders", () => {
  let place: ReturnType<typeof temporaryFolder>;
  let app: string;
  let releases: string;
  let folders: ReleaseFolders;

  beforeEach(() => {
    place = temporaryFolder();
    app = join(place.path, "app");
    releases = join(app, ".teal", "releases");
    folders = new ReleaseFolders({ releases, stateRoot: join(app, ".teal") });
    writeTree(app, {
      "server.js": "one",
      "bin/run*": "#!/bin/sh",
      "lib/": "",
      "lib/link.js": "-> ../server.js",
      ".git/HEAD": "x",
    });
  });
  afterEach(() => {
    place[Symbol.dispose]();
  });

  it("copies a folder that holds the state directory itself: modes and links kept, .git and .teal left out", async () => {
    const source = { kind: "dir", dir: app } as const;
    const { directory, digest } = await folders.unpack("web", "v1", "v1", source, live);
    expect(directory).toBe(folders.folder("web", "v1"));
    expect(readdirSync(directory).toSorted()).toEqual(["bin", "lib", "server.js"]);
    expect(statSync(join(directory, "bin/run")).mode & 0o777).toBe(0o755);
    expect(readlinkSync(join(directory, "lib/link.js"))).toBe("../server.js");
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(digest).toBe(await folders.digest("v1", source, live));
    expect(await folders.exists("web", "v1")).toBe(true);
    expect(await folders.list("web")).toEqual(["v1"]);
  });

  it("can be read by another user, as far as the source can, whatever umask Teal has", async () => {
    chmodSync(join(app, "lib"), 0o750);
    chmodSync(join(app, "server.js"), 0o640);
    const before = process.umask(0o077);
    try {
      await folders.unpack("web", "v1", "v1", { kind: "dir", dir: app }, live);
    } finally {
      process.umask(before);
    }
    const mode = (...path: string[]): string => (statSync(join(releases, ...path)).mode & 0o777).toString(8);
    expect([mode("."), mode("web"), mode("web", "v1"), mode("web", "v1", "bin")]).toEqual(["755", "755", "755", "755"]);
    expect([mode("web", "v1", "bin", "run"), mode("web", "v1", "lib"), mode("web", "v1", "server.js")]).toEqual([
      "755",
      "750",
      "640",
    ]);
  });

  it("leaves a release as it was unpacked when its source changes, and answers the same again", async () => {
    const source = { kind: "dir", dir: app } as const;
    const first = await folders.unpack("web", "v1", "v1", source, live);
    writeFileSync(join(app, "server.js"), "two");
    expect(await folders.unpack("web", "v1", "v1", source, live)).toEqual(first);
    expect(readFileSync(join(first.directory, "server.js"), "utf8")).toBe("one");
    expect(await folders.digest("v1", source, live)).not.toBe(first.digest);
  });

  it("sees contents, names, links and the x bit in the digest, and not the times", async () => {
    const source = { kind: "dir", dir: app } as const;
    const digest = (): Promise<string | null> => folders.digest("v1", source, live);
    const before = await digest();
    execFileSync("touch", ["-d", "2001-01-01", join(app, "server.js")]);
    expect(await digest()).toBe(before);
    const changes = [
      () => {
        writeTree(app, { empty: "" });
      },
      () => {
        writeTree(app, { "folder/": "" });
      },
      () => {
        writeTree(app, { "server.js*": "one" });
      },
      () => {
        writeTree(app, { link: "-> server.js" });
      },
    ];
    const seen = new Set([before]);
    for (const change of changes) {
      change();
      seen.add(await digest());
    }
    expect(seen.size).toBe(changes.length + 1);
  });

  it.each([["/etc/passwd"], ["../../outside"], ["../lib/../../outside"]])("refuses a link to %s", async (target) => {
    writeTree(app, { "lib/bad": `-> ${target}` });
    await expect(folders.unpack("web", "v1", "v1", { kind: "dir", dir: app }, live)).rejects.toMatchObject({
      code: "release-source",
      message: expect.stringContaining("lib/bad"),
    });
    expect(readdirSync(join(releases, "web"))).toEqual([]);
  });

  it("refuses a socket and a FIFO, and names them", async () => {
    execFileSync("mkfifo", [join(app, "pipe")]);
    await expect(folders.digest("v1", { kind: "dir", dir: app }, live)).rejects.toMatchObject({
      code: "release-source",
      message: expect.stringContaining("FIFO"),
    });
    rmSync(join(app, "pipe"));
    const server = createServer().listen(join(app, "s.sock"));
    await expect(folders.digest("v1", { kind: "dir", dir: app }, live)).rejects.toMatchObject({
      code: "release-source",
      message: expect.stringContaining("socket"),
    });
    server.close();
  });

  it("refuses a source that is not there, and one that is no folder", async () => {
    for (const dir of [join(app, "nowhere"), join(app, "server.js")]) {
      for (const kind of ["dir", "none", "tarball"] as const) {
        await expect(folders.unpack("web", "v1", "v1", { kind, dir }, live)).rejects.toMatchObject({
          code: "release-source",
        });
        await expect(folders.digest("v1", { kind, dir }, live)).rejects.toMatchObject({ code: "release-source" });
      }
    }
  });

  it("leaves nothing when aborted, with the signal's reason, and sweeps what a crash left", async () => {
    const abort = new AbortController();
    writeTree(app, Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`many/${String(i)}`, "x".repeat(5_000)])));
    const unpacking = folders.unpack("web", "v1", "v1", { kind: "dir", dir: app }, abort.signal);
    while (!existsSync(join(releases, "web")) || readdirSync(join(releases, "web")).length === 0)
      await new Promise(setImmediate);
    abort.abort(new Error("enough"));
    await expect(unpacking).rejects.toThrow("enough");
    expect(readdirSync(join(releases, "web"))).toEqual([]);
    writeTree(join(releases, "web", ".tmp-v1-0123"), { half: "" });
    expect(await folders.list("web")).toEqual([]);
    await folders.unpack("web", "v2", "v2", { kind: "dir", dir: app }, live);
    expect(readdirSync(join(releases, "web")).toSorted()).toEqual([".v2.json", "v2"]);
  });

  it("refuses a folder that changes while it is read", async () => {
    writeTree(app, Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`many/${String(i)}`, "x"])));
    const written = new AbortController();
    const writer = (async () => {
      for (let i = 0; !written.signal.aborted; i++) {
        writeFileSync(join(app, "many/7"), String(i));
        await new Promise(setImmediate);
      }
    })();
    await expect(folders.digest("v1", { kind: "dir", dir: app }, live)).rejects.toMatchObject({
      code: "release-source",
      message: expect.stringContaining("changed while"),
    });
    written.abort();
    await writer;
  });

  it("keeps a release of kind none where it is, and forgets it without touching it", async () => {
    expect(await folders.exists("web", "v1")).toBe(false);
    expect(await folders.unpack("web", "v1", "v1", { kind: "none", dir: app }, live)).toEqual({
      directory: app,
      digest: null,
    });
    expect(await folders.exists("web", "v1")).toBe(true);
    expect(await folders.list("web")).toEqual(["v1"]);
    await folders.remove("web", "v1");
    await folders.remove("web", "v1");
    expect(await folders.exists("web", "v1")).toBe(false);
    expect(existsSync(join(app, "server.js"))).toBe(true);
  });

  it("notices a folder that vanished, and unpacks it anew", async () => {
    const { directory } = await folders.unpack("web", "v1", "v1", { kind: "dir", dir: app }, live);
    rmSync(directory, { recursive: true });
    expect(await folders.exists("web", "v1")).toBe(false);
    expect(await folders.list("web")).toEqual([]);
    await folders.unpack("web", "v1", "v1", { kind: "dir", dir: app }, live);
    expect(await folders.exists("web", "v1")).toBe(true);
    rmSync(join(releases, "web", ".v1.json"));
    expect(await folders.exists("web", "v1")).toBe(true);
    expect((await folders.unpack("web", "v1", "v1", { kind: "dir", dir: app }, live)).directory).toBe(directory);
    await folders.remove("web", "v1");
    expect(readdirSync(join(releases, "web"))).toEqual([]);
  });

  it("refuses names that are no names", async () => {
    await expect(folders.unpack("../x", "v1", "v1", { kind: "dir", dir: app }, live)).rejects.toMatchObject({
      code: "internal",
    });
    expect(() => folders.folder("web", "../../etc")).toThrow("cannot name a folder");
  });

  it("copies links as links, also one that is dangling", async () => {
    writeTree(app, { later: "-> not/yet" });
    const { directory } = await folders.unpack("web", "v1", "v1", { kind: "dir", dir: app }, live);
    expect(lstatSync(join(directory, "later")).isSymbolicLink()).toBe(true);
  });

  it("says when git is not installed", async () => {
    const without = new ReleaseFolders({ releases, stateRoot: app, git: new GitSource({ PATH: join(app, "lib") }) });
    await expect(without.digest("v1", { kind: "git", repository: app, path: "." }, live)).rejects.toMatchObject({
      code: "release-source",
      message: expect.stringContaining("git was not found"),
    });
  });
});
