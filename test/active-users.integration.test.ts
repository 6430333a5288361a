import { expect, test } from "vitest";
import { Site } from "./site.ts";

/** Each user, by name, once; some who are on the new release do not come any more. */
async function visits(site: Site, names: readonly string[]): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  for (let at = 0; at < names.length; at += 50) {
    await Promise.all(
      names.slice(at, at + 50).map(async (name) => {
        const answer = (await (await fetch(site.url, { headers: { "x-user": name } })).json()) as {
          environment: string;
        };
        seen.set(name, answer.environment);
      }),
    );
  }
  return seen;
}

test("a release whose users stay away is held until a person lets it go on", async () => {
  await using site = await Site.up({
    traffic: { affinity: { header: "x-user" } },
    deploy: {
      shift: [{ weight: 50, for: "15s" }],
      bake: "4s",
      guardrails: { activeUsers: { hold: "40%", window: "4s" } },
    },
  });
  await site.deployed("v1");
  const id = await site.deploy("v2");
  await site.atStep(id, "shift-50");
  await site.until("the split is live", async () => (await site.service()).traffic["green"] === 50);
  const users = Array.from({ length: 600 }, (_, n) => `user-${String(n)}`);
  const sides = await visits(site, users);
  const [blue, green] = ["blue", "green"].map((side) => users.filter((name) => sides.get(name) === side));
  expect(Math.abs((green?.length ?? 0) - 300)).toBeLessThan(75);
  const loyal = [...(blue ?? []), ...(green ?? []).slice(0, 20)];
  const hold = await site.until("it holds", async () => {
    await visits(site, loyal);
    const { deployment } = await site.service();
    return deployment?.hold?.kind === "guardrail" ? deployment.hold : null;
  });
  expect(hold.message).toMatch(
    /^users of green in \d(\.\d+)? s: about \d+ for 50 % of both, of blue \d+: \d+(\.\d)? % fewer/,
  );
  await site.client.resume(id, {});
  expect((await site.ended(id)).state).toBe("completed");
});
