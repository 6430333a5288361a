import { chmodSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary.ts";
import { Database } from "./database.ts";
import { acquireOwnership } from "./ownership.ts";
import { ensurePrivateFile } from "./private-file.ts";

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test("a file that is there keeps its contents and becomes private", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  writeFileSync(path, "kept");
  chmodSync(path, 0o644);
  ensurePrivateFile(path);
  expect([modeOf(path), statSync(path).size]).toEqual(["600", 4]);
});

test("the database with the files beside it, and a lock, are private", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "teal.db");
  const database = new Database(file);
  try {
    expect([file, `${file}-wal`, `${file}-shm`].map(modeOf)).toEqual(["600", "600", "600"]);
  } finally {
    database.close();
  }
  const path = join(folder.path, "server.lock");
  using _lock = acquireOwnership(path, { pid: process.pid, host: "h", since: 0, role: "server" });
  expect([path, `${path}.json`].map(modeOf)).toEqual(["600", "600"]);
});
