import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { crashHook, type App, maintenanceOf, PATIENCE, ProxyHarness, tableOf } from "../../test/proxy-harness.ts";
import type { Peer } from "../wire/peer.ts";
import type { Notice } from "../wire/protocol.ts";
import type { ProxyProtocol } from "../wire/proxy.ts";

type Sample = Notice<ProxyProtocol, "sample">["samples"][number];

interface Answered {
  /** What the load's phase was when the request was sent. */
  readonly phase: string;
  readonly status: number;
  readonly code: string | undefined;
  readonly body: string;
}

/** Clients that ask one after another, each on connections of its own, until they are stopped. What fails is in `broken`. */
class Load {
  readonly answers: Answered[] = [];
  readonly broken: string[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #url: string;
  sent = 0;
  /** Of what has been sent and not answered yet. */
  readonly #open = new Map<string, number>();
  phase = "";

  constructor(url: string, clients: number) {
    this.#url = url;
    this.#running = Promise.all(Array.from({ length: clients }, () => this.#client())).then(() => undefined);
  }

  /** From now on another phase; returns when all of the one before has been answered. */
  async enter(phase: string): Promise<void> {
    const before = this.phase;
    this.phase = phase;
    await expect.poll(() => this.#open.get(before) ?? 0, PATIENCE).toBe(0);
  }

  #count(phase: string, by: number): void {
    this.#open.set(phase, (this.#open.get(phase) ?? 0) + by);
  }

  /** Answers to what was sent in a phase. */
  in(phase: string): readonly Answered[] {
    return this.answers.filter((answer) => answer.phase === phase);
  }

  async stop(): Promise<this> {
    this.#stop.abort();
    await this.#running;
    return this;
  }

  async #client(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.#stop.signal.aborted) await this.#ask(agent);
    agent.destroy();
  }

  async #ask(agent: Agent): Promise<void> {
    this.sent += 1;
    const { phase } = this;
    this.#count(phase, 1);
    const id = `/${String(this.sent)}`;
    // Every third has a body; one that is not read must not stand in the way of what follows.
    const method = this.sent % 3 === 0 ? "POST" : "GET";
    const sent = request(`${this.#url}${id}`, { agent, method });
    sent.end(method === "POST" ? "x".repeat(10_000) : undefined);
    try {
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      const code = response.headers["teal-error"];
      const body = await text(response);
      this.answers.push({
        phase,
        status: response.statusCode ?? 0,
        code: typeof code === "string" ? code : undefined,
        body,
      });
      if (code === undefined && body !== id) this.broken.push(`${id} was answered ${body}`);
    } catch (thrown) {
      this.broken.push(`${id}: ${String(thrown)}`);
    } finally {
      this.#count(phase, -1);
    }
  }
}

describe("maintenance at a real proxy", () => {
  let harness: ProxyHarness;
  let app: App;
  let peer: Peer<ProxyProtocol>;
  let pid: number;
  let sample: Sample | null;
  beforeEach(() => {
    harness = new ProxyHarness();
    sample = null;
  });
  afterEach(() => harness.close());

  const connected = (): Promise<Peer<ProxyProtocol>> =>
    harness.peer(pid, (proxy) => {
      proxy.onNotice("sample", ({ samples }) => {
        sample = samples.find(({ service }) => service === "web") ?? sample;
      });
    });
  const counts = (): Sample["maintenance"] => sample?.maintenance;
  const start = async (workers = 2): Promise<void> => {
    app = await harness.app("blue", (incoming, response) => {
      incoming.resume();
      incoming.on("end", () => response.end(incoming.url));
    });
    ({ pid } = await harness.startProxy({ workers }));
    peer = await connected();
    await peer.call("apply", tableOf({ blue: [app] }, { blue: 100 }));
  };
  const codes = (answers: readonly Answered[]): Set<string | undefined> => new Set(answers.map(({ code }) => code));

  test("on and off under load: while it is on every answer is a 503 of its own, and none is lost", async () => {
    await start();
    const load = new Load(harness.url, 8);
    await expect.poll(() => load.answers.length, PATIENCE).toBeGreaterThan(200);
    expect(codes(load.answers)).toEqual(new Set([undefined]));
    expect(await peer.call("maintain", maintenanceOf("on", 1))).toEqual({ mode: "on" });
    load.phase = "on";
    const served = app.requests;
    await expect.poll(() => load.in("on").length, PATIENCE).toBeGreaterThan(300);
    // What was under way at the change still comes from the app: one a client at most.
    expect(app.requests).toBeLessThanOrEqual(served + 8);
    await load.enter("changing");
    await peer.call("maintain", maintenanceOf("off", 2));
    load.phase = "off";
    await expect.poll(() => load.in("off").length, PATIENCE).toBeGreaterThan(200);
    await load.stop();
    expect(codes(load.in("on"))).toEqual(new Set(["maintenance"]));
    expect(new Set(load.in("on").map(({ status }) => status))).toEqual(new Set([503]));
    expect(codes(load.in("off"))).toEqual(new Set([undefined]));
    expect(load.broken).toEqual([]);
    expect(load.answers).toHaveLength(load.sent);
    const answered = load.answers.filter(({ code }) => code === "maintenance").length;
    await expect.poll(() => counts()?.answered, PATIENCE).toBe(answered);
    // Guardrails know nothing of it.
    const counted = (): unknown => sample?.environments["blue"];
    await expect.poll(counted, PATIENCE).toMatchObject({ requests: load.sent - answered, failures: 0 });
  });

  test("the page: its bytes, type, length and Retry-After; HEAD has none of it, JSON clients get a problem", async () => {
    await start();
    const page = { type: "text/html; charset=utf-8", base64: Buffer.from("<h1>Bald zurück €</h1>").toString("base64") };
    await peer.call("maintain", maintenanceOf("on", 1, { page, retryAfterMs: 90_000 }));
    const got = await fetch(`${harness.url}/any/where`);
    expect([got.status, await got.text()]).toEqual([503, "<h1>Bald zurück €</h1>"]);
    expect(Object.fromEntries(got.headers)).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "content-length": "25",
      "retry-after": "90",
      "cache-control": "no-store",
      "teal-error": "maintenance",
    });
    const head = await fetch(harness.url, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([503, "25", ""]);
    const json = await fetch(harness.url, { headers: { accept: "application/json, text/plain, */*" } });
    expect(json.headers.get("content-type")).toBe("application/problem+json");
    expect(await json.json()).toMatchObject({ code: "maintenance", status: 503 });
    await peer.call("maintain", maintenanceOf("on", 2, { status: 429 }));
    const builtIn = await fetch(harness.url);
    expect([builtIn.status, builtIn.headers.get("content-type")]).toEqual([429, "text/html; charset=utf-8"]);
    expect(await builtIn.text()).toContain("Back soon");
  });

  test("a connection stays for the next request; after a body that nobody reads it is closed", async () => {
    await start();
    await peer.call("maintain", maintenanceOf("on", 1));
    const said = async (sent: string): Promise<string> => {
      const socket = connect(harness.port, "127.0.0.1");
      socket.end(sent);
      return text(socket);
    };
    const two = await said("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(two.match(/HTTP\/1\.1 503/g)).toHaveLength(2);
    const posted = await said(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    expect(posted.match(/HTTP\/1\.1 503/g)).toHaveLength(1);
    expect(posted).toContain("Connection: close");
  });

  test("clients of the list get the app, also behind a server of this machine that names them", async () => {
    await start();
    await peer.call("maintain", maintenanceOf("on", 1, { allow: ["192.0.2.0/24", "2001:db8::/32"] }));
    const from = async (address: string): Promise<number> =>
      (await fetch(harness.url, { headers: { "x-forwarded-for": address } })).status;
    expect(await from("192.0.2.7")).toBe(200);
    expect(await from("2001:db8::1")).toBe(200);
    expect(await from("198.51.100.7")).toBe(503);
    expect(await from("192.0.2.7, 198.51.100.7")).toBe(503);
    expect(await from("no address")).toBe(503);
    await peer.call("maintain", maintenanceOf("on", 2, { allow: ["127.0.0.1"] }));
    expect((await fetch(harness.url)).status).toBe(200);
    await peer.call("maintain", maintenanceOf("hold", 3, { allow: ["127.0.0.1"] }));
    expect((await fetch(harness.url)).status).toBe(200);
  });

  test("a short hold under load loses nothing", async () => {
    await start();
    const load = new Load(harness.url, 16);
    await expect.poll(() => load.answers.length, PATIENCE).toBeGreaterThan(200);
    await peer.call("maintain", maintenanceOf("hold", 1));
    await expect.poll(() => counts()?.waiting, PATIENCE).toBe(16);
    const during = load.answers.length;
    const served = app.requests;
    await wait(100);
    expect([load.answers.length, app.requests]).toEqual([during, served]);
    await peer.call("maintain", maintenanceOf("off", 2));
    await expect.poll(() => load.answers.length, PATIENCE).toBeGreaterThan(during + 200);
    await load.stop();
    expect(load.broken).toEqual([]);
    expect(codes(load.answers)).toEqual(new Set([undefined]));
    expect([load.answers.length, app.requests]).toEqual([load.sent, load.sent]);
    await expect
      .poll(counts, PATIENCE)
      .toEqual({ mode: "off", answered: 0, held: 16, released: 16, timedOut: 0, waiting: 0 });
  });

  test("held requests are let go in the order in which they came", async () => {
    const order: string[] = [];
    await start(1);
    const slow = await harness.app("blue", (incoming, response) => {
      order.push(incoming.url ?? "");
      response.end();
    });
    await peer.call("apply", tableOf({ blue: [slow] }, { blue: 100 }, { generation: 2 }));
    await peer.call("maintain", maintenanceOf("hold", 1));
    const answers: Promise<Response>[] = [];
    for (let n = 0; n < 30; n += 1) {
      answers.push(fetch(`${harness.url}/${String(n)}`));
      await expect.poll(() => counts()?.waiting, PATIENCE).toBe(n + 1);
    }
    expect(order).toEqual([]);
    await peer.call("maintain", maintenanceOf("off", 2));
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
    expect(order).toEqual(Array.from({ length: 30 }, (_, n) => `/${String(n)}`));
  });

  test("in a hold, a request whose time is over and one too many get a 503; the others wait on", async () => {
    await start(1);
    await peer.call("maintain", maintenanceOf("hold", 1, { deadlineMs: 500, most: 1, retryAfterMs: 7_000 }));
    const first = fetch(harness.url);
    await expect.poll(() => counts()?.held, PATIENCE).toBe(1);
    // The first may be over by the time of the second on a busy machine; then the second waits, and is late as well.
    const second = await fetch(harness.url);
    expect(second.status).toBe(503);
    expect(["hold-full", "hold-timeout"]).toContain(second.headers.get("teal-error"));
    const late = await first;
    expect([late.status, late.headers.get("teal-error"), late.headers.get("retry-after")]).toEqual([
      503,
      "hold-timeout",
      "7",
    ]);
    await expect.poll(counts, PATIENCE).toMatchObject({ held: 2, released: 0, timedOut: 2, waiting: 0 });
    expect(sample?.environments["blue"]).toMatchObject({ requests: 0, failures: 0 });
  });

  test("a hold that nobody lifts ends by itself, in off or in on", async () => {
    await start();
    await peer.call("maintain", maintenanceOf("hold", 1, { until: Date.now() + 300 }));
    expect((await fetch(harness.url)).status).toBe(200);
    expect((await peer.call("observe", { service: "web" })).maintenance).toBe("off");
    await peer.call("maintain", maintenanceOf("hold", 2, { until: Date.now() + 300, endsIn: "on" }));
    const answer = await fetch(harness.url);
    expect([answer.status, answer.headers.get("teal-error")]).toEqual([503, "maintenance"]);
  });

  test("kill -9 while it is on or on hold: the next proxy has it from its first request on", async () => {
    await start();
    await peer.call("maintain", maintenanceOf("on", 1, { allow: ["192.0.2.1"] }));
    process.kill(pid, "SIGKILL");
    ({ pid } = await harness.startProxy());
    peer = await connected();
    expect((await fetch(harness.url)).headers.get("teal-error")).toBe("maintenance");
    expect((await fetch(harness.url, { headers: { "x-forwarded-for": "192.0.2.1" } })).status).toBe(200);
    const until = Date.now() + 60_000;
    await peer.call("maintain", maintenanceOf("hold", 2, { until }));
    process.kill(pid, "SIGKILL");
    ({ pid } = await harness.startProxy());
    peer = await connected();
    const held = fetch(harness.url);
    await expect.poll(() => counts()?.waiting, PATIENCE).toBe(1);
    await peer.call("maintain", maintenanceOf("off", 3));
    expect((await held).status).toBe(200);
  });

  test("a proxy that takes another's place has it, and so has a worker that takes another's", async () => {
    const trigger = join(harness.folder, "crash");
    const hook = join(harness.folder, "hook.mjs");
    writeFileSync(hook, crashHook(trigger));
    await start();
    await peer.call("maintain", maintenanceOf("on", 1));
    const load = new Load(harness.url, 4);
    const old = peer;
    ({ pid } = await harness.startProxy({ workers: 1 }, ["--import", hook]));
    await old.call("drain", { deadlineMs: 10_000 });
    await old.closed;
    const { answers, broken, sent } = await load.stop();
    expect(codes(answers)).toEqual(new Set(["maintenance"]));
    expect({ broken, answers: answers.length }).toEqual({ broken: [], answers: sent });
    writeFileSync(trigger, "");
    await expect.poll(() => harness.log, PATIENCE).toContain("worker 0 ended");
    expect((await fetch(harness.url)).headers.get("teal-error")).toBe("maintenance");
  });

  test("a hold whose end came while no proxy ran is over", async () => {
    await start();
    const until = Date.now() + 200;
    await peer.call("maintain", maintenanceOf("hold", 1, { until, endsIn: "on" }));
    process.kill(pid, "SIGKILL");
    await expect.poll(() => Date.now(), PATIENCE).toBeGreaterThan(until);
    ({ pid } = await harness.startProxy());
    expect((await fetch(harness.url)).headers.get("teal-error")).toBe("maintenance");
  });

  test("it goes through switches, and an older order is refused", async () => {
    await start();
    await peer.call("maintain", maintenanceOf("on", 5));
    const green = await harness.app("green");
    await peer.call("apply", tableOf({ blue: [app], green: [green] }, { green: 100 }, { generation: 2 }));
    expect((await fetch(harness.url)).headers.get("teal-error")).toBe("maintenance");
    const older = peer.call("maintain", maintenanceOf("off", 4));
    await expect(older).rejects.toMatchObject({ code: "fenced" });
    const other = peer.call("maintain", maintenanceOf("off", 5));
    await expect(other).rejects.toMatchObject({ code: "fenced" });
    expect(await peer.call("maintain", maintenanceOf("on", 5))).toEqual({ mode: "on" });
    await peer.call("apply", tableOf({ green: [green] }, { green: 100 }, { fence: 3, generation: 1 }));
    await expect(peer.call("maintain", maintenanceOf("off", 6))).rejects.toMatchObject({ code: "fenced" });
    expect(await peer.call("maintain", { ...maintenanceOf("off", 6), fence: 3 })).toEqual({ mode: "off" });
    expect(await (await fetch(harness.url)).text()).toBe("green");
  });

  test("long-lived connections stay, unless they are told to close", async () => {
    await start();
    const events = await harness.app("blue", (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
    });
    const table = tableOf({ blue: [events] }, { blue: 100 }, { generation: 2 });
    await peer.call("apply", { ...table, traffic: { ...table.traffic, longLivedMs: 0 } });
    const stream = await fetch(harness.url);
    const reader = stream.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await peer.call("maintain", maintenanceOf("on", 1));
    await wait(100);
    await expect.poll(() => sample?.environments["blue"]?.inFlight, PATIENCE).toBe(1);
    await peer.call("maintain", maintenanceOf("on", 2, { close: true }));
    // As the app would end it: the body is whole.
    expect(await reader?.read()).toMatchObject({ done: true });
  });
});
