import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { parse } from "yaml";
import { Prometheus } from "../../test/prometheus.ts";
import { requires } from "../../test/requires.ts";
import { Site } from "../../test/site.ts";

const HERE = import.meta.dirname;

interface Example {
  readonly services: { readonly shop: { readonly deploy: { readonly guardrails: Readonly<Record<string, unknown>> } } };
}

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

function comeAndGo(address: string): void {
  const load: ChildProcess = spawn(process.execPath, [join(HERE, "load.js"), "300", address, "1"], { stdio: "ignore" });
  const gone = once(load, "exit");
  closers.push(() => {
    load.kill("SIGKILL");
    return gone;
  });
}

/** The example's own service, in less time, with a Prometheus and a folder of targets of the test's own. */
async function shop(prometheus: string, targets: string): Promise<Record<string, unknown>> {
  const text = await readFile(join(HERE, "teal.yaml"), "utf8");
  const { services } = parse(text.replace("http://127.0.0.1:9090", prometheus)) as Example;
  const { deploy, ...rest } = services.shop;
  const guardrails = { ...deploy.guardrails, latency: {}, activeUsers: { hold: "40%", window: "3s" } };
  const quick = { ...deploy, guardrails, shift: [{ weight: 50, for: "60s" }], bake: "0ms" };
  const environment = { command: "node server.js", count: 2, env: { TARGETS_DIR: targets } };
  return { ...rest, release: { dir: join(HERE, "app") }, environment, deploy: quick };
}

it("the releases of the shop are found out by what their README says, though every request is answered", async (context) => {
  const program = requires(context, "prometheus");
  const site = await Site.create();
  closers.push(() => site[Symbol.asyncDispose]());
  const targets = join(site.dir, "targets");
  const files = [{ files: [join(targets, "*.json")], refresh_interval: "1s" }];
  const prometheus = await Prometheus.start(program, { job_name: "shop", file_sd_configs: files });
  closers.push(() => prometheus.close());
  await site.configure(await shop(prometheus.url, targets));
  await site.start();
  expect((await site.deployed("v1")).state).toBe("completed");
  comeAndGo(site.url);

  expect((await site.deployed("v3")).cause).toMatchObject({
    code: "guardrail-breached",
    message: expect.stringMatching(/^databaseErrors of green is [\d.]+ % .*of blue 0 %; the limit is 1 %/) as string,
  });
  expect((await site.deployed("v4")).cause).toMatchObject({
    code: "guardrail-breached",
    message: expect.stringMatching(
      /^custom\.queue-lag of green is [\d.]+, of blue 1; the limit is 30; 3 readings/,
    ) as string,
  });
  const id = await site.deploy("v5");
  const hold = await site.until("it holds", async () => (await site.service()).deployment?.hold ?? null);
  expect(hold).toMatchObject({ kind: "guardrail", message: expect.stringMatching(/^users of green in 3/) as string });
  await site.client.abort(id, {});
  expect((await site.ended(id)).state).toBe("aborted");
});
