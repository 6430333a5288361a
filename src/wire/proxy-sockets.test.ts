import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requiresRoot } from "../../test/requires.ts";
import { StatePaths } from "./paths.ts";
import { proxySockets } from "./proxy-sockets.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "teal-sockets-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

test("every proxy's socket is found, with its pid, and nothing that only looks like one", () => {
  const paths = new StatePaths(join(root, ".teal"));
  mkdirSync(dirname(paths.proxySocket(7)), { recursive: true });
  const others = ["teal.sock", "proxy.snapshot", "proxy-.sock", "proxy-NaN.sock", "proxy-08.sock", "proxy-9.sock.old"];
  for (const path of [
    paths.proxySocket(7),
    paths.proxySocket(4_194_304),
    ...others.map((name) => join(paths.root, name)),
  ])
    writeFileSync(path, "");
  expect(proxySockets(paths).toSorted((one, other) => one.pid - other.pid)).toEqual([
    { pid: 7, path: paths.proxySocket(7) },
    { pid: 4_194_304, path: paths.proxySocket(4_194_304) },
  ]);
});

test("where Teal has never run there is none", () => {
  expect(proxySockets(new StatePaths(join(root, "nowhere")))).toEqual([]);
});

test("what is no folder is an error of the catalogue", () => {
  const file = join(root, "file");
  writeFileSync(file, "");
  expect(() => proxySockets(new StatePaths(file))).toThrow(expect.objectContaining({ code: "state-directory" }));
});

test("a folder that another user may not read is an error that says what to do", (context) => {
  requiresRoot(context);
  chmodSync(root, 0o700);
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    import { proxySockets } from ${module("./proxy-sockets.ts")};
    import { StatePaths } from ${module("./paths.ts")};
    process.seteuid("nobody");
    try { proxySockets(new StatePaths(${JSON.stringify(root)})); } catch ({ code, remedy }) { console.log(code, remedy); }
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect([stdout, stderr]).toEqual(["forbidden Run it as the user that Teal runs as, or as root.\n", ""]);
});
