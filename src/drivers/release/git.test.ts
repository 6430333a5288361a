import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { git, temporaryFolder, writeTree } from "./fixtures.ts";
import { GitSource } from "./git.ts";

const live = new AbortController().signal;

describe("releases from git", () => {
  const place = temporaryFolder();
  const repository = join(place.path, "repository");
  const source = new GitSource();
  let serial = 0;
  const emptyFolder = (): string => {
    const path = join(place.path, `into-${String(serial++)}`);
    mkdirSync(path);
    return path;
  };

  beforeAll(() => {
    writeTree(repository, {
      "app/server.js": "one",
      "app/run*": "x",
      "app/link": "-> server.js",
      "README.md": "r",
      "sub/app/other.js": "o",
    });
    git(repository, "init", "-q");
    git(repository, "add", ".");
    git(repository, "commit", "-qm", "one");
    git(repository, "tag", "v1");
    writeFileSync(join(repository, "app/server.js"), "two");
    git(repository, "commit", "-qam", "two");
    git(repository, "tag", "-am", "annotated", "v2");
    writeFileSync(join(repository, "app/server.js"), "not committed");
  });
  afterAll(() => {
    place[Symbol.dispose]();
  });

  it("knows when a tag's, a branch's or a commit's commit was made", async () => {
    for (const version of ["v1", "v2", "main", git(repository, "rev-parse", "HEAD")]) {
      const seconds = Number(git(repository, "log", "-1", "--format=%ct", `${version}^{commit}`));
      expect(await source.committedAt(version, { repository, path: "app" }, live)).toBe(seconds * 1_000);
    }
    await expect(source.committedAt("v9", { repository, path: "app" }, live)).rejects.toMatchObject({
      code: "release-source",
    });
  });

  it("unpacks the committed files of a tag, a branch or a commit", async () => {
    const into = emptyFolder();
    const digest = await source.fill("v1", { repository, path: "app" }, into, live);
    expect(digest).toBe(`git:${git(repository, "rev-parse", "v1:app")}`);
    expect(readFileSync(join(into, "server.js"), "utf8")).toBe("one");
    expect(statSync(join(into, "run")).mode & 0o111).not.toBe(0);
    expect(readlinkSync(join(into, "link"))).toBe("server.js");
    const second = await source.digest("v2", { repository, path: "app" }, live);
    expect(second).not.toBe(digest);
    expect(await source.digest("main", { repository, path: "app" }, live)).toBe(second);
    expect(await source.digest(git(repository, "rev-parse", "HEAD"), { repository, path: "app" }, live)).toBe(second);
  });

  it("takes the whole repository, a folder within it, and a bare one", async () => {
    const whole = emptyFolder();
    await source.fill("v1", { repository, path: "." }, whole, live);
    expect(readdirSync(whole).toSorted()).toEqual(["README.md", "app", "sub"]);
    const within = emptyFolder();
    await source.fill("v1", { repository: join(repository, "sub"), path: "app" }, within, live);
    expect(readdirSync(within)).toEqual(["other.js"]);
    const bare = join(place.path, "bare.git");
    execFileSync("git", ["clone", "-q", "--bare", repository, bare], { stdio: "pipe" });
    expect(await source.digest("v1", { repository: bare, path: "app" }, live)).toBe(
      `git:${git(repository, "rev-parse", "v1:app")}`,
    );
  });

  it.each([
    ["an unknown version", "v9", "app", /no tag, branch or commit v9/],
    ["an unknown path", "v1", "nowhere", /does not have nowhere/],
    ["a path that is a file", "v1", "README.md", /README.md in v1 of .* is a blob/],
    ["a path that leads out", "v1", "../..", /leads out/],
    ["an option as version", "--all", "app", /cannot be the name/],
  ])("says what is wrong with %s", async (_what, version, path, message) => {
    await expect(source.digest(version, { repository, path }, live)).rejects.toMatchObject({
      code: "release-source",
      message: expect.stringMatching(message),
    });
  });

  it("says when the folder is no repository", async () => {
    const folder = emptyFolder();
    const alone = new GitSource({ ...process.env, GIT_CEILING_DIRECTORIES: place.path });
    await expect(alone.digest("v1", { repository: folder, path: "." }, live)).rejects.toMatchObject({
      code: "release-source",
      message: expect.stringContaining("not a git repository"),
    });
  });

  it("does not follow GIT_DIR of a hook that runs it", async () => {
    const hooked = new GitSource({ ...process.env, GIT_DIR: join(place.path, "nowhere") });
    expect(await hooked.digest("v1", { repository, path: "app" }, live)).toMatch(/^git:/);
  });

  it("refuses submodules and links that leave the tree", async () => {
    const other = join(place.path, "other");
    writeTree(other, { "app/a.js": "a", "bad/out": "-> ../README.md" });
    git(other, "init", "-q");
    git(other, "add", ".");
    git(other, "update-index", "--add", "--cacheinfo", `160000,${git(repository, "rev-parse", "HEAD")},app/vendor`);
    git(other, "commit", "-qm", "with a submodule");
    await expect(source.fill("main", { repository: other, path: "app" }, emptyFolder(), live)).rejects.toMatchObject({
      message: expect.stringContaining("vendor"),
    });
    await expect(source.fill("main", { repository: other, path: "bad" }, emptyFolder(), live)).rejects.toMatchObject({
      message: expect.stringContaining("outside"),
    });
  });

  it("ends with the signal's reason when aborted", async () => {
    await expect(
      source.fill("v1", { repository, path: "." }, emptyFolder(), AbortSignal.abort(new Error("enough"))),
    ).rejects.toThrow("enough");
    const abort = new AbortController();
    const filling = source.fill("v1", { repository, path: "." }, emptyFolder(), abort.signal);
    setImmediate(() => {
      abort.abort(new Error("enough"));
    });
    await expect(filling).rejects.toThrow("enough");
  });
});
