import { Site } from "../../test/site.ts";
import type { Exposed, Switchboard } from "./switchboard.ts";

const SETTINGS = { traffic: { longLived: "1h" }, deploy: { bake: "0ms" } };

/** A whole Teal with its embedded proxy; two instances a side. */
export async function tealSwitchboard(): Promise<Switchboard> {
  const versions = { blue: "v1", green: "v2" };
  const site = await Site.up({ ...SETTINGS, deploy: { ...SETTINGS.deploy, shift: [] } });
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
  let exposed = 0;
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
    expose: () => {
      exposed += 1;
      return expose(site, `aborted-${String(exposed)}`);
    },
    settled: (load) => site.settled(load),
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  };
}

async function expose(site: Site, version: string): Promise<Exposed> {
  await site.configure({ ...SETTINGS, deploy: { ...SETTINGS.deploy, shift: [{ weight: 50, for: "1h" }] } });
  const id = await site.deploy(version);
  await site.until(`${version} has half of the traffic`, async () => {
    const { traffic, environments } = await site.service();
    const name = environments.find((environment) => environment.version === version)?.name;
    return name !== undefined && traffic[name] === 50;
  });
  return {
    version,
    abort: async () => {
      await site.client.abort(id, { reason: null });
    },
    over: async () => {
      const { state } = await site.ended(id);
      if (state !== "aborted") throw new Error(`${version} is ${state}`);
    },
  };
}
