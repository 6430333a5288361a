import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { create } from "tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestTree } from "./digest.ts";
import { type RawEntry, rawTar, temporaryFolder, writeTree } from "./fixtures.ts";
import { TarballSource } from "./tarball.ts";
import { readTree } from "./tree.ts";

const live = new AbortController().signal;

describe("releases from tarballs", () => {
  let place: ReturnType<typeof temporaryFolder>;
  let dir: string;
  let into: string;
  const source = new TarballSource({ bytes: 1_000_000, entries: 50 });

  beforeEach(() => {
    place = temporaryFolder();
    dir = join(place.path, "dist");
    into = join(place.path, "into");
    mkdirSync(dir);
    mkdirSync(into);
  });
  afterEach(() => {
    place[Symbol.dispose]();
  });

  it.each([".tar", ".tar.gz", ".tgz"])("unpacks %s; the digest is that of the unpacked tree", async (suffix) => {
    const tree = join(place.path, "tree");
    writeTree(tree, {
      "server.js": "one",
      "bin/run*": "x",
      "lib/": "",
      "lib/link": "-> ../server.js",
      big: "y".repeat(200_000),
    });
    await create({ cwd: tree, file: join(dir, `v1${suffix}`), gzip: suffix !== ".tar" }, ["."]);
    const digest = await source.fill("v1", { dir }, into, live);
    expect(readFileSync(join(into, "server.js"), "utf8")).toBe("one");
    expect(statSync(join(into, "bin/run")).mode & 0o111).not.toBe(0);
    expect(digest).toBe(await source.digest("v1", { dir }, live));
    expect(digest).toBe(await digestTree(into, await readTree(into, live), live));
  });

  it("gives parents that the archive does not name, and hard links, the digest of what is unpacked", async () => {
    const entries: RawEntry[] = [
      { path: "a/b/file", body: "x", mode: 0o755 },
      { path: "a/same", type: "Link", linkpath: "a/b/file" },
    ];
    writeFileSync(join(dir, "v1.tar"), rawTar(entries));
    const digest = await source.fill("v1", { dir }, into, live);
    expect(digest).toBe(await digestTree(into, await readTree(into, live), live));
  });

  const hostile: [string, RawEntry[]][] = [
    ["an absolute path", [{ path: "/tmp/teal-evil", body: "x" }]],
    ["a path with ..", [{ path: "a/../../evil", body: "x" }]],
    ["a link out", [{ path: "out", type: "SymbolicLink", linkpath: "../.." }]],
    ["an absolute link", [{ path: "out", type: "SymbolicLink", linkpath: "/etc" }]],
    [
      "a link out through a link",
      [
        { path: "a/b/up", type: "SymbolicLink", linkpath: "../.." },
        { path: "out", type: "SymbolicLink", linkpath: "a/b/up/../x" },
      ],
    ],
    [
      "a file written through a link",
      [
        { path: "in", type: "SymbolicLink", linkpath: "lib" },
        { path: "in/file", body: "x" },
      ],
    ],
    ["a hard link out", [{ path: "out", type: "Link", linkpath: "../../etc/passwd" }]],
    ["a hard link to nothing", [{ path: "out", type: "Link", linkpath: "nothing" }]],
    ["a device", [{ path: "null", type: "CharacterDevice" }]],
    ["a FIFO", [{ path: "pipe", type: "FIFO" }]],
    ["too many bytes", [{ path: "bomb", body: "0".repeat(1_000_001) }]],
    ["too many entries", Array.from({ length: 51 }, (_, i) => ({ path: String(i) }))],
    ["a body that is cut off", [{ path: "cut", body: "x", size: 100_000 }]],
  ];
  it.each(hostile)("refuses %s and writes nothing outside", async (_what, entries) => {
    writeFileSync(join(dir, "v1.tar.gz"), gzipSync(rawTar(entries)));
    await expect(source.fill("v1", { dir }, into, live)).rejects.toMatchObject({ code: "release-source" });
    expect(readdirSync(place.path).toSorted()).toEqual(["dist", "into"]);
  });

  it("refuses what is no archive, an empty one, and one cut in the middle", async () => {
    const whole = gzipSync(rawTar([{ path: "a", body: "0123456789".repeat(2_000) }]));
    for (const bytes of [Buffer.from("not a tar at all"), Buffer.alloc(0), whole.subarray(0, whole.length - 20)]) {
      writeFileSync(join(dir, "v1.tar.gz"), bytes);
      await expect(source.fill("v1", { dir }, into, live)).rejects.toMatchObject({ code: "release-source" });
    }
  });

  it("says when there is none, or more than one", async () => {
    await expect(source.digest("v1", { dir }, live)).rejects.toMatchObject({
      code: "release-source",
      message: expect.stringContaining("no tarball of v1"),
    });
    writeFileSync(join(dir, "v1.tar"), rawTar([{ path: "a" }]));
    writeFileSync(join(dir, "v1.tgz"), gzipSync(rawTar([{ path: "a" }])));
    await expect(source.digest("v1", { dir }, live)).rejects.toMatchObject({
      code: "release-source",
      message: expect.stringContaining("two tarballs"),
    });
  });

  it("ends with the signal's reason when aborted", async () => {
    writeFileSync(join(dir, "v1.tar"), rawTar([{ path: "a" }]));
    await expect(source.digest("v1", { dir }, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  });
});
