import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { proxySettings } from "../wire/shapes.ts";
import { StatePaths } from "../wire/paths.ts";
import { readLastStart, writeLastStart } from "./last-start.ts";

let paths: StatePaths;
beforeEach(() => {
  paths = new StatePaths(mkdtempSync(join(tmpdir(), "teal-last-")));
});
afterEach(() => {
  rmSync(paths.root, { recursive: true });
});

test("what the proxy was started with is read back, settings and all", async () => {
  expect(readLastStart(paths)).toBeNull();
  const settings = proxySettings.parse({ trustedProxies: ["192.0.2.0/24"], limits: { bodyBytes: 7 } });
  const server = { listen: "0.0.0.0:1", hosts: ["teal.example.com"] };
  await writeLastStart(paths, { config: "/x/teal.yaml", listen: ["127.0.0.1:1"], settings, server });
  expect(readLastStart(paths)).toMatchObject({ config: "/x/teal.yaml", listen: ["127.0.0.1:1"], settings, server });
});

test("a record from before there were settings means the defaults", () => {
  const old = { format: 1, config: "/x/teal.yaml", listen: ["127.0.0.1:1"] };
  writeFileSync(join(paths.root, "last-start.json"), JSON.stringify(old));
  expect(readLastStart(paths)?.settings).toEqual(proxySettings.parse({}));
  expect(readLastStart(paths)?.server).toEqual({ listen: "127.0.0.1:8325", hosts: [] });
});
