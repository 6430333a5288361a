import { request } from "node:http";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { Site } from "./site.ts";

function scrape(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: "/metrics" }, (response) => {
      text(response).then(resolve, reject);
    })
      .on("error", reject)
      .end();
  });
}

/** The numbers of one metric by their labels, `class=2xx` say; `service` and `environment` are taken off. */
function numbers(metrics: string, name: string, environment: string): Record<string, number> {
  const prefix = `${name}{service="web",environment="${environment}"`;
  const lines = metrics.split("\n").filter((line) => line.startsWith(prefix));
  return Object.fromEntries(
    lines.map((line) => {
      const [labels = "", value] = line.slice(prefix.length).split("} ");
      return [labels.replaceAll(/[,"]/g, ""), Number(value)];
    }),
  );
}

test("a scrape of /metrics has exactly the requests that were made", { timeout: 120_000 }, async () => {
  await using site = await Site.up({ deploy: { shift: [], bake: "0s" } });
  const deployed = await site.deployed("v1");
  expect({ state: deployed.state, cause: deployed.cause }).toEqual({ state: "completed", cause: null });

  for (let n = 0; n < 17; n += 1) await (await fetch(site.url)).text();
  for (let n = 0; n < 5; n += 1) await (await fetch(`${site.url}/nothing-here`)).text();
  const blue = (metrics: string, name: string) => numbers(metrics, name, "blue");
  const metrics = await site.until("all are counted, and over", async () => {
    const shown = await scrape(site.paths.apiSocket);
    const [requests, inFlight] = [blue(shown, "teal_proxy_requests_total"), blue(shown, "teal_proxy_in_flight")];
    return requests[""] === 22 && inFlight[""] === 0 && shown;
  });
  expect(blue(metrics, "teal_proxy_responses_total")).toEqual({
    "class=1xx": 0,
    "class=2xx": 17,
    "class=3xx": 0,
    "class=4xx": 5,
    "class=5xx": 0,
  });
  const buckets = Object.values(blue(metrics, "teal_proxy_latency_seconds_bucket"));
  expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
  expect(buckets.at(-1)).toBe(22);
  expect(blue(metrics, "teal_proxy_latency_seconds_count")).toEqual({ "": 22 });
  expect(blue(metrics, "teal_proxy_latency_seconds_sum")[""]).toBeGreaterThan(0);
  for (const name of ["failures", "connect_failures", "retries", "rescues", "held", "upgrades", "ejections"])
    expect({ [name]: blue(metrics, `teal_proxy_${name}_total`) }).toEqual({ [name]: { "": 0 } });
  expect(metrics).toContain('\nteal_proxy_switches_total{service="web"} 1\n');
  expect(metrics).toMatch(/^teal_kernel_listen_drops_total \d+$/m);
  expect(metrics).toContain('\nteal_traffic_weight{service="web",environment="blue"} 100\n');

  // The next release's requests are its own.
  await site.deployed("v2");
  for (let n = 0; n < 4; n += 1) await (await fetch(site.url)).text();
  await site.until("green's are counted", async () => {
    const shown = await scrape(site.paths.apiSocket);
    return (
      numbers(shown, "teal_proxy_requests_total", "green")[""] === 4 &&
      blue(shown, "teal_proxy_requests_total")[""] === 22
    );
  });

  // An instance that does not answer is taken out. Stopped and not killed: its keeper would have it back before it is missed.
  const { environments } = await site.service();
  const [victim] = environments.find(({ name }) => name === "green")?.instances ?? [];
  if (victim?.pid == null) throw new Error("green has no instance");
  process.kill(victim.pid, "SIGSTOP");
  try {
    await site.until("the ejection is counted", async () => {
      const counted = numbers(await scrape(site.paths.apiSocket), "teal_proxy_ejections_total", "green")[""] ?? 0;
      return counted === 1;
    });
  } finally {
    process.kill(victim.pid, "SIGCONT");
  }
});
