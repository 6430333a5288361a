import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { PeerServer } from "./connect.ts";
import type { Handlers } from "./peer.ts";
import { defineProtocol } from "./protocol.ts";
import { ReconnectingPeer } from "./reconnecting.ts";

const protocol = defineProtocol({
  name: "test",
  versions: [1],
  calls: {
    echo: { params: z.object({ text: z.string() }), result: z.object({ text: z.string() }) },
    hang: { params: z.object({}), result: z.object({}) },
  },
  notices: { news: z.object({ text: z.string() }) },
});
type Test = typeof protocol;

let folder = "";
let server: PeerServer<Test> | null = null;
let client: ReconnectingPeer<Test> | null = null;
const asked: string[] = [];

const handlers: Handlers<Test> = {
  echo: (params) => params,
  hang: () => {
    asked.push("hang");
    return new Promise<Record<string, never>>(() => undefined);
  },
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "teal-reconnecting-"));
  asked.length = 0;
});
afterEach(async () => {
  client?.close();
  await server?.close();
  server = null;
  rmSync(folder, { recursive: true });
});

function connect(options: { onConnect?: () => void; onDisconnect?: () => void } = {}): ReconnectingPeer<Test> {
  client = new ReconnectingPeer({ path: join(folder, "s.sock"), protocol, down: "keeper-down", ...options });
  return client;
}
async function serve(): Promise<PeerServer<Test>> {
  server = await PeerServer.listen(join(folder, "s.sock"), protocol, handlers);
  return server;
}

test("a call waits for the other side to come up", async () => {
  const answer = connect().call("echo", { text: "hello" });
  await serve();
  expect(await answer).toEqual({ text: "hello" });
});

test("a call fails with the code of the side that is down when nobody comes in time", async () => {
  await expect(connect().call("echo", { text: "hello" }, { timeoutMs: 60 })).rejects.toMatchObject({
    code: "keeper-down",
  });
});

test("the signal of a waiting call ends it with its reason", async () => {
  await expect(
    connect().call("echo", { text: "x" }, { signal: AbortSignal.abort(new Error("enough")) }),
  ).rejects.toThrow("enough");
});

test("reconnects, and notices survive it", async () => {
  const got: string[] = [];
  let ends = 0;
  const peer = connect({ onDisconnect: () => (ends += 1) });
  peer.onNotice("news", ({ text }) => got.push(text));
  const first = await serve();
  await peer.call("echo", { text: "1" });
  first.notify("news", { text: "first" });
  await expect.poll(() => got).toEqual(["first"]);
  await first.close();
  await expect.poll(() => ends).toBe(1);
  const second = await serve();
  await peer.call("echo", { text: "2" });
  second.notify("news", { text: "second" });
  await expect.poll(() => got).toEqual(["first", "second"]);
});

test("several listen to the same notice, also when one of them came later", async () => {
  const got: string[] = [];
  const peer = connect();
  peer.onNotice("news", ({ text }) => got.push(`a ${text}`));
  peer.onNotice("news", ({ text }) => got.push(`b ${text}`));
  const server = await serve();
  await peer.call("echo", { text: "1" });
  peer.onNotice("news", ({ text }) => got.push(`c ${text}`));
  server.notify("news", { text: "x" });
  await expect.poll(() => got).toEqual(["a x", "b x", "c x"]);
});

test("a call that the end of the connection cuts is not repeated", async () => {
  const peer = connect();
  const first = await serve();
  const hanging = peer.call("hang", {});
  await expect.poll(() => asked.length).toBe(1);
  await Promise.all([first.close(), expect(hanging).rejects.toMatchObject({ code: "keeper-down" })]);
  await serve();
  await peer.call("echo", { text: "again" });
  expect(asked).toEqual(["hang"]);
});

test("two versions that cannot talk fail at once, not at the deadline", async () => {
  const other = { ...protocol, versions: [2] as const };
  const newer = await PeerServer.listen<typeof other>(join(folder, "s.sock"), other, {
    echo: (params) => params,
    hang: () => ({}),
  });
  try {
    await expect(connect().call("echo", { text: "x" }, { timeoutMs: 60_000 })).rejects.toMatchObject({
      code: "protocol-mismatch",
    });
  } finally {
    await newer.close();
  }
});

test("closing rejects those who wait", async () => {
  const peer = connect();
  const waiting = peer.call("echo", { text: "x" }, { timeoutMs: 60_000 });
  peer.close();
  await expect(waiting).rejects.toMatchObject({ code: "keeper-down" });
});

test("a call that the other side's version does not have says so", async () => {
  const { echo } = protocol.calls;
  const older = defineProtocol({ ...protocol, calls: { echo } });
  const old = await PeerServer.listen(join(folder, "s.sock"), older, { echo: (params) => params });
  const peer = connect();
  expect(await peer.call("echo", { text: "hello" })).toEqual({ text: "hello" });
  await expect(peer.call("hang", {})).rejects.toMatchObject({ code: "protocol-mismatch" });
  peer.close();
  await old.close();
});
