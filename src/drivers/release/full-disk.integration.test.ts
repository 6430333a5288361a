import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SmallDisk } from "../../../test/small-disk.ts";
import { temporaryFolder } from "../../store/temporary.ts";
import { ReleaseFolders } from "./folder.ts";

const MIB = 1024 * 1024;

test("a release that finds no room says so as what passes, and is unpacked when there is some", async (context) => {
  using folder = temporaryFolder();
  const [state, app] = [join(folder.path, "state"), join(folder.path, "app")];
  for (const path of [state, app]) mkdirSync(path);
  writeFileSync(join(app, "large"), Buffer.alloc(MIB, 1));
  using disk = SmallDisk.mount(state, 4) ?? context.skip("this user may not mount a tmpfs");
  const releases = new ReleaseFolders({ releases: join(state, "releases"), stateRoot: state });
  const { signal } = new AbortController();
  const unpacked = () => releases.unpack("web", "v1", "v1", { kind: "dir", dir: app }, signal);

  // From no room at all to some that ends in the middle of the file.
  for (const pages of [0, 1, 2, 3, 8, 64, 200]) {
    disk.fill(pages);
    await expect(unpacked()).rejects.toMatchObject({ code: "store-failed" });
  }
  disk.free();
  const { digest } = await unpacked();
  expect(digest).toBe(await releases.digest("v1", { kind: "dir", dir: app }, signal));
});
