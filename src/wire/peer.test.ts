import { getEventListeners, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { TealError } from "../model/error.ts";
import { Peer } from "./peer.ts";
import { defineProtocol } from "./protocol.ts";

const NEWS = 20;
const protocol = defineProtocol({
  name: "test",
  versions: [1],
  calls: { ask: { params: z.object({}), result: z.object({ text: z.string() }) } },
  notices: { news: z.object({ number: z.int() }) },
});

let folder = "";
let server: Server;
let near: Socket;
let peer: Peer<typeof protocol>;
/** What the other end does with the first thing that it hears. */
let heard: (far: Socket) => void;

const framed = (message: object): string => {
  const text = JSON.stringify({ jsonrpc: "2.0", ...message });
  return `Content-Length: ${String(Buffer.byteLength(text))}\r\n\r\n${text}`;
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "teal-peer-"));
  const path = join(folder, "s.sock");
  server = createServer((far) => far.once("data", () => heard(far))).listen(path);
  await once(server, "listening");
  near = connect({ path });
  await once(near, "connect");
  peer = new Peer(near, protocol, "data-plane-down");
});
afterEach(() => {
  near.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

test("what came right before the end is heard: notices, and the answer of a call", async () => {
  heard = (far) => {
    const news = Array.from({ length: NEWS }, (_, number) => framed({ method: "news", params: { number } }));
    far.write([...news, framed({ id: 0, result: { text: "done" } })].join(""));
    far.destroy();
  };
  const numbers: number[] = [];
  peer.onNotice("news", ({ number }) => numbers.push(number));
  peer.listen();
  expect(await peer.call("ask", {})).toEqual({ text: "done" });
  expect(numbers).toHaveLength(NEWS);
  await peer.closed;
});

test("an end without an answer ends the call", async () => {
  heard = (far) => far.destroy();
  peer.listen();
  const answer = peer.call("ask", {});
  await expect(answer).rejects.toMatchObject({ code: "data-plane-down" });
  await peer.closed;
  await expect(peer.call("ask", {})).rejects.toMatchObject({ code: "data-plane-down" });
  peer.notify("news", { number: 1 });
});

test("between the end and its last words nothing is sent, and a call says that the other end is gone", async () => {
  heard = (far) => far.destroy();
  peer.listen();
  const first = peer.call("ask", {}).catch((thrown: unknown) => thrown);
  await once(near, "close");
  peer.notify("news", { number: 1 });
  await expect(peer.call("ask", {})).rejects.toMatchObject({ code: "data-plane-down" });
  expect(await first).toMatchObject({ code: "data-plane-down" });
});

test("a call into a connection whose other end has just gone says that it is gone, not how the write failed", async () => {
  const gone = Promise.withResolvers<unknown>();
  heard = (far) => {
    far.destroy();
    // In the same turn: this end has not been told of the end yet.
    gone.resolve(peer.call("ask", {}).catch((thrown: unknown) => thrown));
  };
  peer.listen();
  near.write("x");
  expect(await gone.promise).toMatchObject({ code: "data-plane-down" });
});

test("a call ends at its deadline; its late answer is heard by nobody, and the next call has its own", async () => {
  heard = (far) => {
    far.on("data", (bytes: Buffer) => {
      if (!bytes.toString().includes('"id":1')) return;
      far.write(framed({ id: 0, result: { text: "late" } }) + framed({ id: 1, result: { text: "done" } }));
    });
  };
  peer.listen();
  await expect(peer.call("ask", {}, { timeoutMs: 20 })).rejects.toMatchObject({
    code: "deadline-passed",
    message: "test call ask took longer than 20 ms",
  });
  expect(await peer.call("ask", {})).toEqual({ text: "done" });
});

test("a caller that gives up gets its own reason, and leaves no listener behind", async () => {
  heard = () => undefined;
  peer.listen();
  const caller = new AbortController();
  const calls = [1, 2, 3].map(() => peer.call("ask", {}, { signal: caller.signal }));
  expect(getEventListeners(caller.signal, "abort")).toHaveLength(3);
  caller.abort(new TealError("aborted", "enough"));
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: "aborted", message: "enough" });
  expect(getEventListeners(caller.signal, "abort")).toHaveLength(0);
  await expect(peer.call("ask", {}, { signal: caller.signal })).rejects.toThrow("enough");
});

test("an answered call leaves no listener behind, and nothing that its deadline could end", async () => {
  heard = (far) => far.write(framed({ id: 0, result: { text: "done" } }));
  peer.listen();
  const { signal } = new AbortController();
  expect(await peer.call("ask", {}, { signal, timeoutMs: 10_000 })).toEqual({ text: "done" });
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});
