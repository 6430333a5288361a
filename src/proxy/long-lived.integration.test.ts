import { once } from "node:events";
import { Agent, type IncomingMessage, request, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type App, PATIENCE, ProxyHarness, tableOf, TRAFFIC } from "../../test/proxy-harness.ts";
import type { Peer } from "../wire/peer.ts";
import type { Notice } from "../wire/protocol.ts";
import type { ProxyProtocol, ServiceTable } from "../wire/proxy.ts";

type Receipt = Notice<ProxyProtocol, "receipt">;

/** A client's WebSocket, with the code that it was closed with. */
interface Line {
  readonly socket: WebSocket;
  code: number | null;
}

describe("long connections over a switch", () => {
  let harness: ProxyHarness;
  let apps: Record<"blue" | "green", readonly App[]>;
  let peer: Peer<ProxyProtocol>;
  let receipts: Receipt[];
  /** Codes that the apps' side of a WebSocket was closed with. */
  let appCodes: number[];
  let streams: ServerResponse[];

  beforeEach(async () => {
    harness = new ProxyHarness();
    appCodes = [];
    streams = [];
    receipts = [];
    apps = { blue: [await appOf("blue")], green: [await appOf("green")] };
    const { pid } = await harness.startProxy();
    peer = await harness.peer(pid, (peer) => {
      peer.onNotice("receipt", (receipt) => receipts.push(receipt));
    });
  });
  afterEach(() => harness.close());

  async function appOf(name: string): Promise<App> {
    const app = await harness.app(name, (incoming, response) => {
      serve(name, incoming, response);
    });
    new WebSocketServer({ server: app.server }).on("connection", (socket) => {
      socket.on("message", (data: Buffer) => {
        socket.send(`${name} ${data.toString()}`);
      });
      socket.on("close", (code) => appCodes.push(code));
    });
    return app;
  }

  function serve(name: string, incoming: IncomingMessage, response: ServerResponse): void {
    if (incoming.url === "/upload")
      void text(incoming).then(
        (body) => response.end(`${name} got ${String(body.length)}`),
        () => response.destroy(),
      );
    else if (incoming.url === "/x") response.end(name);
    else {
      streams.push(response);
      if (incoming.url === "/events") response.writeHead(200, { "content-type": "text/event-stream" });
      if (incoming.url !== "/silent") response.write("data: tea\n\n");
    }
  }

  async function open(): Promise<Line> {
    const socket = new WebSocket(harness.url.replace("http", "ws"));
    const line: Line = { socket, code: null };
    socket.on("close", (code) => (line.code = code));
    await once(socket, "open");
    return line;
  }

  async function echo({ socket }: Line, message: string): Promise<string> {
    const came = once(socket, "message") as Promise<[Buffer]>;
    socket.send(message);
    return (await came)[0].toString();
  }

  const times = (drainMs: number, longLivedMs: number): ServiceTable["traffic"] => ({
    ...TRAFFIC,
    drainMs,
    longLivedMs,
  });
  const apply = (to: string, generation: number, traffic: ServiceTable["traffic"]): Promise<Receipt> =>
    peer.call("apply", tableOf(apps, { [to]: 100 }, { generation, traffic }));
  const final = (generation: number): Receipt | undefined =>
    receipts.find((receipt) => receipt.generation === generation && receipt.final);

  test("new ones go to green at once, old ones serve on past `drain` and are closed with 1001 after `longLived`", async () => {
    const traffic = times(200, 4_000);
    await apply("blue", 1, traffic);
    const lines = await Promise.all(Array.from({ length: 20 }, open));
    const events = await fetch(`${harness.url}/events`);
    const silent = fetch(`${harness.url}/silent`).then(
      () => "answered",
      () => "cut",
    );
    await expect.poll(() => streams.length, PATIENCE).toBe(2);
    const switchedAt = performance.now();
    expect(await apply("green", 2, traffic)).toMatchObject({ inFlight: 22, cut: 0, final: false });
    expect(await silent).toBe("cut");
    for (const line of lines) expect(await echo(line, "still")).toBe("blue still");
    const later = await open();
    expect(await echo(later, "new")).toBe("green new");
    // One goes by itself: drained, not cut.
    lines[0]?.socket.close(1000);
    expect(await events.text()).toBe("data: tea\n\n");
    await expect.poll(() => lines.map(({ code }) => code), PATIENCE).toEqual([1000, ...Array(19).fill(1001)]);
    expect(performance.now() - switchedAt).toBeGreaterThanOrEqual(4_000);
    await expect.poll(() => final(2), PATIENCE).toMatchObject({ inFlight: 22, drained: 1, cut: 21, failed: 0 });
    const sorted = (): readonly number[] => appCodes.toSorted((a, b) => a - b);
    await expect.poll(sorted, PATIENCE).toEqual([1000, ...Array<number>(19).fill(1001)]);
    expect(await echo(later, "on")).toBe("green on");
    const { instances } = await peer.call("observe", { service: "web" });
    expect(instances.map(({ environment, inFlight }) => [environment, inFlight])).toEqual([
      ["blue", 0],
      ["green", 1],
    ]);
  });

  test("a switch back in time leaves those of the side that is active again alone", async () => {
    const traffic = times(100, 3_000);
    await apply("blue", 1, traffic);
    const blue = await open();
    await apply("green", 2, traffic);
    const green = await open();
    expect(await apply("blue", 3, traffic)).toMatchObject({ inFlight: 1 });
    await expect.poll(() => green.code, PATIENCE).toBe(1001);
    // By then the time of blue's, which began earlier, is over as well.
    await expect.poll(() => final(3), PATIENCE).toMatchObject({ inFlight: 1, drained: 0, cut: 1 });
    expect(final(2)).toMatchObject({ inFlight: 1, drained: 0, cut: 0 });
    expect(blue.code).toBeNull();
    expect(await echo(blue, "still")).toBe("blue still");
    await apply("green", 4, traffic);
    await expect.poll(() => blue.code, PATIENCE).toBe(1001);
  });

  test("a release that is taken back gives its WebSockets no longer than `drain`", async () => {
    const traffic = times(300, 60_000);
    await apply("blue", 1, traffic);
    const shift = { generation: 2, traffic, deployment: "d1", revertTo: { blue: 100 } };
    await peer.call("apply", tableOf(apps, { green: 100 }, shift));
    const green = await open();
    await peer.call("revert", { service: "web", deployment: "d1" });
    await expect.poll(() => green.code, PATIENCE).toBe(1001);
    await expect.poll(() => final(3), PATIENCE).toMatchObject({ inFlight: 1, cut: 1 });
  });

  test("an answer and an upload that are under way when `drain` is over may go on", async () => {
    const traffic = times(200, 60_000);
    await apply("blue", 1, traffic);
    const download = await fetch(`${harness.url}/download`);
    const upload = request(`${harness.url}/upload`, { method: "POST" });
    const answered = once(upload, "response") as Promise<[IncomingMessage]>;
    upload.write("x".repeat(1_000));
    const silent = fetch(`${harness.url}/silent`).catch(() => "cut");
    await expect.poll(() => streams.length, PATIENCE).toBe(2);
    const inFlight = async (): Promise<number | undefined> =>
      (await peer.call("observe", { service: "web" })).instances[0]?.inFlight;
    await expect.poll(inFlight, PATIENCE).toBe(3);
    expect(await apply("green", 2, traffic)).toMatchObject({ inFlight: 3 });
    // Its time is `drain`, so that is over now.
    expect(await silent).toBe("cut");
    upload.end("y".repeat(1_000));
    expect(await text((await answered)[0])).toBe("blue got 2000");
    for (const response of streams) response.end("more");
    expect(await download.text()).toBe("data: tea\n\nmore");
    await expect.poll(() => final(2), PATIENCE).toMatchObject({ inFlight: 3, drained: 2, cut: 1 });
  });

  test("the end of an event stream leaves its connection good for the next request", async () => {
    const traffic = times(0, 300);
    await apply("blue", 1, traffic);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (path: string): Promise<readonly [string, unknown]> => {
      const sent = request(`${harness.url}${path}`, { agent }).end();
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      const { localPort } = response.socket;
      return [await text(response), localPort];
    };
    const stream = ask("/events");
    await expect.poll(() => streams.length, PATIENCE).toBe(1);
    await apply("green", 2, traffic);
    const [body, port] = await stream;
    expect(body).toBe("data: tea\n\n");
    expect(await ask("/x")).toEqual(["green", port]);
    agent.destroy();
  });
});
