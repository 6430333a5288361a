import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sampleAcceptance, sampleEvent } from "../samples.ts";
import { temporaryFolder } from "../temporary.ts";
import { Ballast } from "./ballast.ts";
import { SqliteStore } from "./sqlite-store.ts";

const MIB = 1024 * 1024;

/** A disk of 4 MiB; null where this user may not mount one. */
function smallDisk(path: string): { readonly [Symbol.dispose]: () => void } | null {
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", path]).status === 0;
  if (!mounted) return null;
  return {
    [Symbol.dispose]: () => {
      spawnSync("umount", [path]);
    },
  };
}

/** Takes all the room that is left. */
function fill(path: string): void {
  const file = openSync(path, "a");
  try {
    for (let chunk = Buffer.alloc(64 * 1024, 1); chunk.length > 0;) {
      try {
        writeSync(file, chunk);
      } catch {
        chunk = chunk.subarray(0, Math.floor(chunk.length / 2));
      }
    }
  } finally {
    closeSync(file);
  }
}

/** 16 KiB: more than the last page of the log could still take. */
const bulky = sampleEvent({ data: { text: "x".repeat(16 * 1024) } });

test("on a full disk the ballast's room takes the next transitions; without one they fail and the store goes on", (context) => {
  using folder = temporaryFolder();
  using disk = smallDisk(folder.path);
  if (disk === null) context.skip("this user may not mount a tmpfs");
  const ballast = new Ballast(join(folder.path, "ballast"), { bytes: MIB, monotonic: () => performance.now() });
  const store = new SqliteStore(join(folder.path, "teal.db"), { relieve: () => ballast.drop() });
  expect(ballast.ensure()).toBe(true);
  const { fence } = store.claim("web", 0);
  store.accept(sampleAcceptance("dep_1"));
  fill(join(folder.path, "filler"));

  const back = { service: "web", fence, at: 1, split: { generation: 1, weights: { blue: 100 } }, events: [bulky] };
  expect(store.transition({ ...back, deployment: { id: "dep_1", state: "rolling-back" } })).toHaveLength(1);
  expect(ballast.there).toBe(false);
  expect(store.transition({ ...back, deployment: { id: "dep_1", state: "aborted" } })).toHaveLength(1);

  fill(join(folder.path, "filler"));
  expect(() => store.append([bulky])).toThrow(
    expect.objectContaining({ code: "store-failed", cause: expect.anything() }),
  );
  expect(store.deployment("dep_1")).toMatchObject({ state: "aborted" });
  expect(store.lastSeq()).toBe(3);

  rmSync(join(folder.path, "filler"));
  expect(store.append([bulky])).toMatchObject([{ seq: 4 }]);
  store.close();
});
