import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Site } from "./site.ts";

const status = async (url: string) => (await fetch(url, { signal: AbortSignal.timeout(5_000) })).status;

test.each(["as it was started", "after a takeover"])(
  "without its state directory everything goes on serving, another start is refused, and the keeper can be ended, %s",
  async (when) => {
    await using site = await Site.up();
    await site.deployed("v1");
    const { url } = site;
    if (when === "after a takeover") await takenOver(site);
    const { keeper, proxies } = await site.pids();
    await site.configure({}, new URL(url).host);
    const away = join(site.dir, "away");
    await rename(site.paths.root, away);
    await rm(away, { recursive: true, maxRetries: 5 });
    expect(await status(url)).toBe(200);

    const refused = await site.cli("up", "--detach");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`kill ${String(keeper)}\``);
    expect(await status(url)).toBe(200);

    process.kill(keeper, "SIGTERM");
    await site.until("all of it has ended", () => Promise.resolve([keeper, ...proxies].every((pid) => !isThere(pid))));
    await site.start();
    expect((await site.deployed("v2")).state).toBe("completed");
    expect(await status(url)).toBe(200);
  },
);

/** The proxy starts another keeper, and no keeper has started the proxy any more. */
async function takenOver(site: Site): Promise<void> {
  const { keeper } = await site.pids();
  process.kill(keeper, "SIGKILL");
  await site.until("another keeper answers", async () => (await site.pids()).keeper !== keeper);
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
