import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
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
