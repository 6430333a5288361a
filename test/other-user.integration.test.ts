import { execFileSync } from "node:child_process";
import { chmod, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requires, requiresRoot } from "./requires.ts";
import { Site } from "./site.ts";

/** A user that every Linux has, and that owns nothing. */
const OTHER = "nobody";
const SECONDS = 60_000;

/** What of the state directory others may read: the releases, and the note for git. */
const OPEN = new Set(["releases", ".gitignore"]);

test(
  "an app runs as environment.user, which can read its release and nothing else of Teal",
  { timeout: 3 * SECONDS },
  async (context) => {
    requiresRoot(context);
    const setpriv = requires(context, "setpriv");
    await using site = await Site.create({ environment: { user: OTHER }, deploy: { shift: [], bake: "0ms" } });
    // The folder above is the user's own matter: mkdtemp makes it private.
    await chmod(site.dir, 0o711);
    await site.start();
    const deployment = await site.deployed("v1");
    expect({ state: deployment.state, cause: deployment.cause }).toEqual({ state: "completed", cause: null });
    expect((await fetch(site.url)).status).toBe(200);

    const uid = Number(execFileSync("id", ["-u", OTHER], { encoding: "utf8" }));
    const [instance] = (await site.service()).environments.flatMap(({ instances }) => instances);
    const status = await readFile(`/proc/${String(instance?.pid)}/status`, "utf8");
    expect(/^Uid:\t(\d+)/m.exec(status)?.[1]).toBe(String(uid));
    expect((await site.cli("logs", "blue")).stdout).toContain("listens on");

    const names = await readdir(site.paths.root);
    expect(names).toContain("teal.db-wal");
    const closed = names.filter((name) => !OPEN.has(name)).map((name) => join(site.paths.root, name));
    const modes = await Promise.all(closed.map(async (path) => [path, (await stat(path)).mode & 0o077] as const));
    expect(modes.filter(([, others]) => others !== 0)).toEqual([]);
    expect(await stat(site.paths.root).then(({ mode }) => mode & 0o777)).toBe(0o711);
    const asOther = (script: string): string =>
      execFileSync(setpriv, ["--reuid", OTHER, "--clear-groups", "sh", "-c", `(${script}) 2>&1 || echo refused`], {
        encoding: "utf8",
      });
    expect(asOther(`cat ${site.paths.database}`)).toMatch(/refused$/m);
    expect(asOther(`ls ${site.paths.root}`)).toMatch(/refused$/m);
    expect(asOther(`cat ${join(site.paths.releases, "web", "v1", "package.json")}`)).not.toMatch(/refused/);
    expect(asOther(`echo x > ${join(site.paths.releases, "web", "v1", "new-file")}`)).toMatch(/refused$/m);
  },
);
