import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../store/temporary.ts";
import { Fifos } from "./fifos.ts";

test("each that is asked for is a FIFO of its own, for its owner alone; a few processes make them all", async () => {
  using folder = temporaryFolder();
  const spare = join(folder.path, "spare");
  mkdirSync(spare);
  writeFileSync(join(spare, "3"), "left by an earlier keeper");
  const fifos = new Fifos(spare);
  const paths = Array.from({ length: 300 }, (_, n) => join(folder.path, `s${String(n % 7)}`, `${String(n)}.fifo`));
  await Promise.all(paths.map((path) => fifos.make(path)));
  const stats = paths.map((path) => statSync(path));
  expect(stats.every((stat) => stat.isFIFO() && (stat.mode & 0o777) === 0o600)).toBe(true);
  expect(new Set(stats.map(({ ino }) => ino)).size).toBe(300);
  // Beyond what was asked for, each process makes eight: so few have run.
  expect(readdirSync(spare).length).toBeLessThanOrEqual(24);
});

test("one that stands where it is to be is replaced", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "web.fifo");
  writeFileSync(path, "no FIFO");
  await new Fifos(join(folder.path, "spare")).make(path);
  expect(statSync(path).isFIFO()).toBe(true);
});

test("a stock that was removed is made anew", async () => {
  using folder = temporaryFolder();
  const fifos = new Fifos(join(folder.path, "spare"));
  await fifos.make(join(folder.path, "a.fifo"));
  rmSync(join(folder.path, "spare"), { recursive: true });
  await fifos.make(join(folder.path, "b.fifo"));
  expect(statSync(join(folder.path, "b.fifo")).isFIFO()).toBe(true);
});

test("what cannot be made is told, and the next is tried anew", async () => {
  using folder = temporaryFolder();
  const spare = join(folder.path, "file", "spare");
  writeFileSync(join(folder.path, "file"), "");
  const fifos = new Fifos(spare);
  await expect(fifos.make(join(folder.path, "a.fifo"))).rejects.toMatchObject({ code: "ENOTDIR" });
  await expect(fifos.make(join(folder.path, "a.fifo"))).rejects.toMatchObject({ code: "ENOTDIR" });
});
