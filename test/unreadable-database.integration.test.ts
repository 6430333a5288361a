import { copyFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { Site } from "./site.ts";

/** Through SQLite, as docs/operations.md says. */
async function backedUp(site: Site): Promise<string> {
  const copy = join(site.dir, "teal-backup.db");
  const database = new DatabaseSync(site.paths.database, { readOnly: true });
  try {
    await backup(database, copy);
  } finally {
    database.close();
  }
  return copy;
}

async function databaseFiles(site: Site): Promise<string[]> {
  const names = await readdir(site.paths.root);
  return names.filter((name) => name.startsWith("teal.db")).map((name) => join(site.paths.root, name));
}

async function served(site: Site): Promise<string | null> {
  return (await fetch(site.url)).headers.get("x-version");
}

test("with an unreadable database traffic goes on and doctor says what is wrong; put back as documented, all is as it was then", async () => {
  await using site = await Site.up({ deploy: { shift: [], bake: "0ms" } });
  for (const version of ["v1", "v2"]) expect((await site.deployed(version)).state).toBe("completed");
  const copy = await backedUp(site);
  expect((await site.deployed("v3-later")).state).toBe("completed");

  for (const file of await databaseFiles(site)) await writeFile(file, "this is no database any more");
  const { server } = await site.pids();
  process.kill(server ?? 0, "SIGKILL");
  await site.until("the log says so", async () => (await site.log("server")).includes("file is not a database"));
  expect(await served(site)).toBe("v3-later");
  const status = await site.cli("status");
  expect([status.code, status.stderr]).toEqual([1, expect.stringContaining("server-down")]);
  const doctor = await site.cli("doctor");
  expect([doctor.code, doctor.stdout.replaceAll(/\s+/g, " ")]).toEqual([
    1,
    expect.stringMatching(/teal\.db cannot be read: file is not a database.*`teal down`.*put back a backup/),
  ]);

  expect(await site.cli("down", "--yes")).toMatchObject({ code: 0 });
  for (const file of await databaseFiles(site)) await rm(file);
  await copyFile(copy, site.paths.database);
  await rm(site.paths.proxySnapshot);
  await site.start();
  expect(await site.service()).toMatchObject({ active: "green", traffic: { blue: 0, green: 100 }, deployment: null });
  await site.until("the release of the backup serves", async () => (await served(site)) === "v2");
  expect((await site.deployed("v4-next")).state).toBe("completed");
  expect(await served(site)).toBe("v4-next");
  expect((await site.cli("doctor")).stdout).not.toContain("cannot be read");
});

test("without a backup Teal begins anew, as documented", async () => {
  await using site = await Site.up({ deploy: { shift: [], bake: "0ms" } });
  expect((await site.deployed("v1")).state).toBe("completed");
  expect((await site.cli("down", "--yes")).code).toBe(0);
  for (const file of [...(await databaseFiles(site)), site.paths.proxySnapshot]) await rm(file);
  await site.start();
  expect((await site.service()).active).toBe(null);
  expect((await site.deployed("v1")).state).toBe("completed");
  expect(await served(site)).toBe("v1");
});
