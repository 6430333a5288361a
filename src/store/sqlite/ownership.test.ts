import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { acquireOwnership, type Owner, readOwner } from "./ownership.ts";

let folder: string;
let path: string;
const me: Owner = { pid: process.pid, host: "here", since: 1_700_000_000_000, role: "server" };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-ownership-"));
  path = join(folder, "server.lock");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("the second is refused and told who the first is", () => {
  using first = acquireOwnership(path, me);
  expect(first.owner).toEqual(me);
  expect(() => acquireOwnership(path, me)).toThrow(
    expect.objectContaining({
      code: "server-locked",
      message: expect.stringContaining(`server with pid ${String(process.pid)} on here since 2023-11-14T22:13:20.000Z`),
    }),
  );
});

test("after a release the next one gets it, and releasing twice does not take it away from the next", () => {
  const first = acquireOwnership(path, me);
  first.release();
  expect(existsSync(`${path}.json`)).toBe(false);
  using second = acquireOwnership(path, { ...me, role: "keeper" });
  first.release();
  expect(readOwner(path)).toEqual(second.owner);
  expect(() => acquireOwnership(path, me)).toThrow(/owned by the keeper/);
});

test("kill -9 of the owner frees it, and the dead one is not named", async () => {
  const script = `
    const { acquireOwnership } = await import(${JSON.stringify(new URL("./ownership.ts", import.meta.url).href)});
    acquireOwnership(${JSON.stringify(path)}, { pid: process.pid, host: "here", since: 1, role: "server" });
    globalThis.gc();
    process.stdout.write("held\\n");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--expose-gc", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(() => acquireOwnership(path, me)).toThrow(`pid ${String(child.pid)}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(readOwner(path)).toBeNull();
  using mine = acquireOwnership(path, me);
  expect(readOwner(path)).toEqual(mine.owner);
});

test("a path that cannot be used is a problem of the state directory", () => {
  expect(() => acquireOwnership(join(folder, "no", "such", "folder"), me)).toThrow(
    expect.objectContaining({ code: "state-directory" }),
  );
  writeFileSync(path, "this is not a database, and long enough to be looked at as one".repeat(20));
  expect(() => acquireOwnership(path, me)).toThrow(expect.objectContaining({ code: "state-directory" }));
});
