import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PATIENCE, ProxyHarness, tableOf } from "../../test/proxy-harness.ts";
import type { Notice } from "../wire/protocol.ts";
import type { ProxyProtocol } from "../wire/proxy.ts";

type Environment = Notice<ProxyProtocol, "sample">["samples"][number]["environments"][string];

/** Connections that each worker is to have before the fault. */
const ENOUGH = 4;

/** Makes worker 0 throw outside of any request once the file is there. Only this test's proxy loads it. */
const CRASH_HOOK = (trigger: string): string => `
import { existsSync, rmSync } from "node:fs";
import { isMainThread, workerData } from "node:worker_threads";
if (!isMainThread && workerData?.index === 0) setInterval(() => {
  if (!existsSync(${JSON.stringify(trigger)})) return;
  rmSync(${JSON.stringify(trigger)});
  throw new Error("a fault in a worker");
}, 10);
`;

/** A client's kept connection, whose requests the app answers with the worker's part of their request id. */
class Client {
  readonly socket: Socket;
  isGone = false;
  /** Which worker accepted it. */
  worker = "";
  #text = "";

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => (this.#text += chunk.toString("latin1")));
    socket.on("error", () => socket.destroy());
    socket.once("close", () => (this.isGone = true));
  }

  /** @throws when the connection is refused */
  static async open(port: number): Promise<Client> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new Client(socket);
  }

  ask(path: string): void {
    this.#text = "";
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  }

  /** Null until the answer is whole. */
  get answer(): string | null {
    return /^HTTP\/1\.1 200 .*\r\n\r\n<(.*)>$/s.exec(this.#text)?.[1] ?? null;
  }

  /** One request, answered. */
  async greet(): Promise<this> {
    this.ask("/");
    await expect.poll(() => this.answer, PATIENCE).not.toBe(null);
    this.worker = this.answer ?? "";
    return this;
  }
}

describe("the crew of a real proxy", () => {
  let harness: ProxyHarness;
  let clients: Client[];
  /** Answers that the app keeps back. */
  let kept: (() => void)[];
  beforeEach(() => {
    harness = new ProxyHarness();
    clients = [];
    kept = [];
  });
  afterEach(async () => {
    for (const { socket } of clients) socket.destroy();
    await harness.close();
  });

  const answering = (incoming: IncomingMessage, response: ServerResponse): void => {
    const [worker = ""] = String(incoming.headers["x-request-id"]).split(/-[^-]*$/);
    const answer = (): void => void response.end(`<${worker}>`);
    if (incoming.url === "/kept") kept.push(answer);
    else answer();
  };

  /** Connections until the two workers have {@link ENOUGH} each; the kernel chooses who accepts. */
  const connectToBoth = async (): Promise<readonly (readonly Client[])[]> => {
    const deadline = performance.now() + PATIENCE.timeout;
    for (;;) {
      const opened = await Promise.all(Array.from({ length: 8 }, () => Client.open(harness.port)));
      clients.push(...opened);
      await Promise.all(opened.map((client) => client.greet()));
      const groups = [...Map.groupBy(clients, ({ worker }) => worker).values()];
      if (groups.length === 2 && groups.every(({ length }) => length >= ENOUGH)) return groups;
      if (performance.now() > deadline) throw new Error(`only ${String(groups.length)} workers accepted`);
    }
  };

  test("a worker that throws takes no other's connections with it, nor the listener, nor the counts", async () => {
    const trigger = join(harness.folder, "crash");
    const hook = join(harness.folder, "hook.mjs");
    writeFileSync(hook, CRASH_HOOK(trigger));
    const app = await harness.app("blue", answering);
    const { pid } = await harness.startProxy({ workers: 2 }, ["--import", hook]);
    let blue: Environment | undefined;
    const peer = await harness.peer(pid, (proxy) => {
      proxy.onNotice("sample", ({ samples }) => (blue = samples[0]?.environments["blue"] ?? blue));
    });
    await peer.call("apply", tableOf({ blue: [app] }, { blue: 100 }));
    const groups = await connectToBoth();
    let answered = clients.length;
    const busy = groups.map((group) => group.slice(0, 2));
    for (const client of busy.flat()) client.ask("/kept");
    await expect.poll(() => kept.length, PATIENCE).toBe(4);

    writeFileSync(trigger, "");
    await expect.poll(() => harness.log, PATIENCE).toContain("worker 0 ended");
    await expect.poll(() => groups.some((group) => group.every(({ isGone }) => isGone)), PATIENCE).toBe(true);
    const lost = groups.findIndex((group) => group.every(({ isGone }) => isGone));
    const left = groups[1 - lost] ?? [];
    expect(left.filter(({ isGone }) => isGone)).toEqual([]);

    // What the other worker has in flight is answered, and its idle connections go on.
    for (const answer of kept) answer();
    const waiting = busy[1 - lost] ?? [];
    await expect.poll(() => waiting.every(({ answer }) => answer !== null), PATIENCE).toBe(true);
    await Promise.all(left.map((client) => client.greet()));
    answered += waiting.length + left.length;

    // No connection is refused, and a new worker takes its share of them.
    const known = new Set(groups.flat().map(({ worker }) => worker));
    await expect
      .poll(async () => {
        const opened = await Promise.all(Array.from({ length: 8 }, () => Client.open(harness.port)));
        clients.push(...opened);
        await Promise.all(opened.map((client) => client.greet()));
        answered += opened.length;
        return opened.some(({ worker }) => !known.has(worker));
      }, PATIENCE)
      .toBe(true);

    await expect.poll(() => [blue?.requests, blue?.inFlight], PATIENCE).toEqual([answered, 0]);
    expect([blue?.failures, app.requests]).toEqual([0, answered + 2]);
    expect((await peer.call("ping", {})).pid).toBe(pid);
  });
});
