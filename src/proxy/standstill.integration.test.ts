import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HEALTH, ProxyHarness, tableOf } from "../../test/proxy-harness.ts";

const ROUNDS = 3;
/** Longer than an app keeps a connection, and than a connection to it may take to be made. */
const STILL_MS = 3_500;
const EVERY_MS = 10;
/** Each time; a third of them must not be sent twice. */
const AT_ONCE = 6;

let harness: ProxyHarness;
beforeEach(() => {
  harness = new ProxyHarness();
});
afterEach(() => harness.close());

/** Sends at its times whatever becomes of earlier requests, and says what was not answered 200. */
function load(url: string): { stop(): Promise<{ readonly sent: number; readonly problems: readonly string[] }> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, scheduling: "fifo" });
  const problems: string[] = [];
  const stop = new AbortController();
  const flying: Promise<void>[] = [];
  const one = async (): Promise<void> => {
    const method = flying.length % 3 === 0 ? "POST" : "GET";
    const sent = request(url, { agent, method });
    sent.end(method === "POST" ? "body" : undefined);
    try {
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      if (response.statusCode !== 200)
        problems.push(`${method}: ${String(response.statusCode)} ${String(response.headers["teal-error"])}`);
      await once(response.resume(), "end");
    } catch (thrown) {
      problems.push(`${method}: ${String(thrown)}`);
    }
  };
  const pacing = (async () => {
    while (!stop.signal.aborted) {
      for (let i = 0; i < AT_ONCE; i += 1) flying.push(one());
      await wait(EVERY_MS);
    }
  })();
  return {
    stop: async () => {
      stop.abort();
      await pacing;
      await Promise.all(flying);
      agent.destroy();
      return { sent: flying.length, problems };
    },
  };
}

test(
  "a proxy that stood still answers all that came meanwhile, though the apps had closed their connections",
  { timeout: 120_000 },
  async () => {
    const answer = (body: string) => (_: IncomingMessage, response: { end(text: string): void }) =>
      void setTimeout(() => response.end(body), 5);
    const apps = [await harness.app("a", answer("a")), await harness.app("b", answer("b"))];
    for (const app of apps) app.server.keepAliveTimeout = 2_000;
    const proxy = await harness.startProxy();
    const peer = await harness.peer(proxy.pid);
    // One bad check would be one too many.
    await peer.call("apply", tableOf({ blue: apps }, { blue: 100 }, { health: { ...HEALTH, unhealthyAfter: 1 } }));
    const running = load(`${harness.url}/`);
    for (let round = 0; round < ROUNDS; round += 1) {
      await wait(900);
      proxy.kill("SIGSTOP");
      await wait(STILL_MS);
      proxy.kill("SIGCONT");
    }
    await wait(900);
    const { sent, problems } = await running.stop();
    expect(problems).toEqual([]);
    expect(sent).toBeGreaterThan(1_000);
  },
);
