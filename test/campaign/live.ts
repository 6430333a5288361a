import { get } from "node:http";
import { connectPeer } from "../../src/wire/connect.ts";
import { PROXY_PROTOCOL } from "../../src/wire/proxy.ts";
import type { Site } from "../site.ts";
import type { LiveFact } from "./evidence.ts";

/** The data plane's own answer. */
export async function liveFact(site: Site, service: string): Promise<LiveFact> {
  const { proxies } = await site.pids();
  const peer = await connectPeer(site.paths.proxySocket(proxies.at(-1) ?? 0), PROXY_PROTOCOL, {
    down: "data-plane-down",
  });
  try {
    const { split, armed, instances } = await peer.call("observe", { service });
    const names = [...new Set(instances.map(({ environment }) => environment))];
    return {
      weights: split?.weights ?? {},
      armed: armed?.deployment ?? null,
      healthy: names.map((environment) => ({
        environment,
        count: instances.filter((one) => one.environment === environment && one.healthy).length,
      })),
    };
  } finally {
    peer.close();
  }
}

/** On a connection of its own, which is not kept: an idle one would be waited for at the end. */
export function versionAt(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, timeout: 10_000 }, (answer) => {
      const version = answer.headers["x-version"];
      answer.resume().once("end", () => {
        resolve(typeof version === "string" ? version : `status ${String(answer.statusCode)}`);
      });
    }).once("error", reject);
  });
}
