import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readText, send } from "./http.ts";

let folder = "";
let server: Server;
let endpoint: { readonly socket: string };
/** What each connection was asked, in the order in which they came. */
let asked: string[][];
/** What a connection does with its so-manyth request, counted from 0. */
let answer: (socket: Socket, turn: number) => void;

const say = (socket: Socket, text: string): void => {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${String(text.length)}\r\n\r\n${text}`);
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "teal-http-"));
  endpoint = { socket: join(folder, "s.sock") };
  asked = [];
  server = createServer((socket) => {
    const own: string[] = [];
    asked.push(own);
    socket.on("data", (bytes) => {
      own.push(bytes.toString().split("\r\n")[0] ?? "");
      answer(socket, own.length - 1);
    });
    socket.on("error", () => undefined);
  }).listen(endpoint.socket);
  await once(server, "listening");
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function ask(method: "GET" | "POST", path: string): Promise<string> {
  const { signal } = new AbortController();
  const response = await send(endpoint, { method, path, signal, ...(method === "POST" ? { body: {} } : {}) });
  return readText(response, endpoint, signal);
}

test("questions share a connection; what changes something has its own", async () => {
  answer = (socket, turn) => {
    say(socket, String(turn));
  };
  expect([await ask("GET", "/a"), await ask("GET", "/b"), await ask("POST", "/c")]).toEqual(["0", "1", "0"]);
  expect(asked).toEqual([["GET /a HTTP/1.1", "GET /b HTTP/1.1"], ["POST /c HTTP/1.1"]]);
});

test("a connection that the server closes as it is used again is no failure: the question is asked on another", async () => {
  answer = (socket, turn) => {
    if (turn === 0) say(socket, "here");
    else socket.destroy();
  };
  expect(await ask("GET", "/a")).toBe("here");
  expect(await ask("GET", "/b")).toBe("here");
  expect(asked).toEqual([["GET /a HTTP/1.1", "GET /b HTTP/1.1"], ["GET /b HTTP/1.1"]]);
});

test("a server that goes away in the first use of a connection is down: nothing is asked twice", async () => {
  answer = (socket) => {
    socket.destroy();
  };
  await expect(ask("GET", "/a")).rejects.toMatchObject({ code: "server-down" });
  expect(asked).toEqual([["GET /a HTTP/1.1"]]);
});
