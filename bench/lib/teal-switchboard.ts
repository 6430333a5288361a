import { Site } from "../../test/site.ts";
import type { Switchboard } from "./switchboard.ts";

/** A whole Teal with its embedded proxy; two instances a side. */
export async function tealSwitchboard(): Promise<Switchboard> {
  const versions = { blue: "v1", green: "v2" };
  const site = await Site.up({ traffic: { longLived: "1h" }, deploy: { shift: [], bake: "0ms" } });
  try {
    for (const version of [versions.blue, versions.green]) {
      const { state, cause } = await site.deployed(version);
      if (state !== "completed") throw new Error(`${version}: ${state} ${JSON.stringify(cause)}`);
    }
  } catch (thrown) {
    await site[Symbol.asyncDispose]();
    throw thrown;
  }
  let switches = 0;
  return {
    url: site.url,
    versions,
    active: "green",
    async switchTo(side) {
      switches += 1;
      await site.client.switch("web", { to: side });
    },
    async tookMs() {
      const applied: number[] = [];
      for await (const { type, data } of site.client.events({ after: 0, follow: false })) {
        const { tookMs } = data;
        if (type === "split-applied" && typeof tookMs === "number") applied.push(tookMs);
      }
      return applied.slice(-switches);
    },
    settled: (load) => site.settled(load),
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  };
}
