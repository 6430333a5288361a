import { once } from "node:events";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PATIENCE } from "../../../../test/proxy-harness.ts";
import { EngineHarness } from "./engine-harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const LAST_GET = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const post = (body: string): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`;

/** Calls back with everything that came so far, at each read. */
const onBytes = (socket: Socket, look: (all: string) => void): void => {
  let all = "";
  socket.on("data", (chunk: Buffer) => {
    all += chunk.toString("latin1");
    look(all);
  });
};

/** Answers each request without a body. */
const answering =
  (answer = OK) =>
  (socket: Socket): void => {
    let rest = "";
    socket.on("end", () => socket.end());
    socket.on("data", (chunk: Buffer) => {
      rest += chunk.toString("latin1");
      for (let end = rest.indexOf("\r\n\r\n"); end >= 0; end = rest.indexOf("\r\n\r\n")) {
        rest = rest.slice(end + 4);
        socket.write(answer);
      }
    });
  };

describe("faults at a raw engine", () => {
  let harness: EngineHarness;
  beforeEach(async () => {
    harness = new EngineHarness();
    await harness.start();
  });
  afterEach(async () => {
    await harness.close();
    expect(harness.errors).toEqual([]);
    await expect.poll(() => harness.accounts.every(({ events }) => events.at(-1) === "end"), PATIENCE).toBe(true);
  });

  const ask = async (bytes: string): Promise<string> => {
    const client = await harness.client();
    client.write(bytes);
    return text(client).catch(() => "reset");
  };

  test("an instance that resets at once: GET is sent again and then refused, POST is refused", async () => {
    const instance = await harness.instance((socket) => socket.once("data", () => socket.resetAndDestroy()));
    expect(await ask(LAST_GET)).toMatch(/^HTTP\/1.1 502 .*Teal-Error: bad-gateway/s);
    expect(instance.connections).toBe(3);
    expect(harness.accounts[0]?.events.filter((event) => event === "replay")).toHaveLength(3);
    expect(await ask(post("x"))).toMatch(/^HTTP\/1.1 502 /);
    expect(instance.connections).toBe(4);
  });

  test("a reset on a kept connection: GET goes to a new one", async () => {
    const instance = await harness.instance((socket, count) => {
      if (count > 1) answering()(socket);
      else
        onBytes(socket, (all) => {
          if (all.split("\r\n\r\n").length === 2) socket.write(OK);
          else socket.resetAndDestroy();
        });
    });
    const client = await harness.client();
    client.write(GET);
    await once(client, "data");
    client.write(LAST_GET);
    expect(await text(client)).toMatch(/^HTTP\/1.1 200 .*ok$/s);
    expect(instance.connections).toBe(2);
  });

  test.each([
    ["in the head", "HTTP/1.1 200 OK\r\nContent-Le", /^HTTP\/1.1 502 /],
    ["a head that is none", "hello\r\n\r\n", /^HTTP\/1.1 502 /],
    ["ambiguous framing", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", /^HTTP\/1.1 502 /],
    ["101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", /^HTTP\/1.1 502 /],
  ])("an instance that fails %s is a 502", async (_, bytes, expected) => {
    await harness.instance((socket) => socket.once("data", () => socket.end(bytes)));
    expect(await ask(LAST_GET)).toMatch(expected);
    expect(harness.accounts[0]?.events).toContain("gaveUp 502");
  });

  test.each([
    ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", false],
    ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", false],
    ["bad chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalfzz\r\n", false],
    ["no end but the connection's", "HTTP/1.1 200 OK\r\n\r\nhalf", true],
  ])("an answer with %s that breaks off is never whole for the client", async (_, bytes, resets) => {
    await harness.instance((socket) =>
      socket.once("data", () => {
        socket.write(bytes);
        // In a turn of its own, so that the bytes are there before the reset.
        setTimeout(() => (resets ? socket.resetAndDestroy() : socket.end()), 20);
      }),
    );
    const answer = await ask(GET);
    expect(answer).not.toMatch(/0\r\n\r\n$/);
    await expect
      .poll(() => harness.accounts[0]?.events, PATIENCE)
      .toEqual(["connected", "responded 200", "broken", "end"]);
    // To an HTTP/1.0 client the end would be the answer's own: it gets a reset.
    expect(await ask("GET / HTTP/1.0\r\n\r\n")).toMatch(bytes.includes("Length") ? /half$/ : /^reset$/);
  });

  test("an instance that cannot be reached: the next one", async () => {
    const good = await harness.instance(answering());
    const gone = await harness.instance(answering());
    gone.close();
    harness.ports = [gone.port, good.port];
    expect(await ask(LAST_GET)).toMatch(/ok$/);
    expect(harness.accounts[0]?.events).toEqual(["connectFailed", "connected", "responded 200", "end"]);
    harness.ports = [gone.port];
    expect(await ask(post("body"))).toMatch(/^HTTP\/1.1 503 /);
  });

  test("a kept connection that the instance closes, or on which it speaks unasked, is not used again", async () => {
    for (const spoil of [(socket: Socket) => socket.end(), (socket: Socket) => socket.write(OK)]) {
      const instance = await harness.instance(answering());
      const client = await harness.client();
      client.write(GET);
      await once(client, "data");
      for (const socket of instance.sockets) spoil(socket);
      await expect.poll(() => instance.sockets.size, PATIENCE).toBe(0);
      client.write(post("x"));
      const [answer] = (await once(client, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1.1 200 /);
      expect(instance.connections).toBe(2);
    }
  });

  test("bytes behind an answer are not the next answer's", async () => {
    await harness.instance(answering(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`));
    const client = await harness.client();
    client.write(GET + LAST_GET);
    const answers = await text(client);
    expect(answers).not.toContain("poison");
    expect(answers.match(/ok/g)).toHaveLength(2);
  });

  test("a client that ended its side gets its answers, late ones too", async () => {
    await harness.instance((socket) => {
      onBytes(socket, (all) => {
        if (all.endsWith("\r\n\r\n")) setTimeout(() => socket.write(OK), 1_600);
      });
    });
    const client = await harness.client();
    client.end(GET + GET.replace("/", "/second"));
    const answers = await text(client);
    expect(answers.match(/200 OK/g)).toHaveLength(2);
    expect(answers).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
    expect(answers.match(/ok/g)).toHaveLength(2);
  });

  test("a body that ends too early is not passed on as whole", async () => {
    const instance = await harness.instance(() => undefined);
    const client = await harness.client();
    client.end("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    expect(await text(client).catch(() => "reset")).toMatch(/^$|^reset$/);
    await expect.poll(() => instance.sockets.size, PATIENCE).toBe(0);
  });

  test("a client that goes away, or is cut, ends the instance's connection", async () => {
    const instance = await harness.instance((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
    });
    const client = await harness.client();
    client.write(GET);
    await once(client, "data");
    client.resetAndDestroy();
    await expect.poll(() => instance.sockets.size, PATIENCE).toBe(0);
    const other = await harness.client();
    other.write(GET);
    await once(other, "data");
    harness.accounts[1]?.cut();
    await once(other, "end");
    await expect.poll(() => instance.sockets.size, PATIENCE).toBe(0);
  });

  test("a client that leaves while its request is held is known to have left", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    harness.hold = promise;
    const instance = await harness.instance(answering());
    const client = await harness.client();
    client.write(GET);
    await expect.poll(() => harness.accounts.length, PATIENCE).toBe(1);
    client.resetAndDestroy();
    await expect.poll(() => harness.accounts[0]?.facts.isAbandoned(), PATIENCE).toBe(true);
    resolve();
    await expect.poll(() => harness.accounts[0]?.events, PATIENCE).toEqual(["end"]);
    expect(instance.connections).toBe(0);
  });

  test("an early answer to a large upload reaches the client, and the connection ends", async () => {
    await harness.instance((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"));
    });
    const client = await harness.client();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n");
    const chunk = Buffer.alloc(100_000);
    const timer = setInterval(() => client.writable && client.write(chunk), 1);
    const answer = await text(client);
    clearInterval(timer);
    expect(answer).toMatch(/^HTTP\/1.1 413 .*Connection: close.*big$/is);
  });

  test("100-continue is the instance's to say", async () => {
    await harness.instance((socket) => {
      onBytes(socket, (all) => {
        if (all.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
        else if (all.endsWith("body")) socket.write(OK);
      });
    });
    const head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    const client = await harness.client();
    client.write(head);
    const [first] = (await once(client, "data")) as [Buffer];
    expect(first.toString()).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    client.write("body");
    const [second] = (await once(client, "data")) as [Buffer];
    expect(second.toString()).toMatch(/^HTTP\/1.1 200 .*ok$/s);
    await harness.instance((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno"));
    });
    expect(await ask(head)).toMatch(/^HTTP\/1.1 417 .*no$/s);
  });

  test("early hints are passed on, and to HTTP/1.0 are not", async () => {
    await harness.instance(answering(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`));
    expect(await ask(LAST_GET)).toMatch(/^HTTP\/1.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1.1 200 /);
    expect(await ask("GET / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 200 /);
  });

  test("HTTP/1.0 clients get no chunks; HTTP/1.1 clients get chunks for an answer that ends with its connection", async () => {
    await harness.instance(
      answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"),
    );
    expect(await ask("GET / HTTP/1.0\r\n\r\n")).toMatch(/\r\n\r\nabcd$/);
    await harness.instance((socket) => socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nabcd")));
    expect(await ask(LAST_GET)).toMatch(/chunked.*\r\n\r\n4\r\nabcd\r\n0\r\n\r\n$/is);
    await harness.instance(answering());
    const client = await harness.client();
    client.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const [first] = (await once(client, "data")) as [Buffer];
    expect(first.toString()).toMatch(/Connection: keep-alive/i);
    client.write("GET / HTTP/1.0\r\n\r\n");
    expect(await text(client)).toMatch(/^HTTP\/1.1 200 .*ok$/s);
  });

  test("a tunnel carries what came with the upgrade, and each direction ends by itself", async () => {
    await harness.instance((socket) => {
      let isOpen = false;
      let got = "";
      socket.on("end", () => socket.end(`got ${got.slice(got.indexOf("\r\n\r\n") + 4)}`));
      onBytes(socket, (all) => {
        got = all;
        if (isOpen || !all.includes("\r\n\r\n")) return;
        isOpen = true;
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello ");
      });
    });
    const client = await harness.client();
    client.end("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nearly");
    expect(await text(client)).toMatch(/^HTTP\/1.1 101 .*hello got early$/s);
    expect(harness.accounts[0]?.events).toEqual(expect.arrayContaining(["longLived", "responded 101"]));
  });

  const FLOOD_BYTES = 64 * 1024 * 1024;
  test.each([
    ["of an answer", `HTTP/1.1 200 OK\r\nContent-Length: ${String(FLOOD_BYTES)}\r\n\r\n`, "a".repeat(65_536), true],
    ["of interim answers", "", `HTTP/1.1 103 Early Hints\r\nX: ${"a".repeat(16_350)}\r\n\r\n`.repeat(4), false],
  ])("a slow reader %s holds back the instance, and what waits for it is bounded", async (_, head, some, isRead) => {
    const chunk = Buffer.from(some);
    let sent = 0;
    await harness.instance((socket) => {
      socket.once("data", () => {
        socket.write(head);
        const more = (): void => {
          while (sent < FLOOD_BYTES) {
            sent += chunk.length;
            if (!socket.write(chunk)) return;
          }
        };
        socket.on("drain", more);
        more();
      });
    });
    const client = await harness.client();
    client.pause();
    client.write(LAST_GET);
    let before = -1;
    let stillFor = 0;
    await expect
      .poll(
        () => {
          stillFor = sent > 0 && sent === before ? stillFor + 1 : 0;
          before = sent;
          return stillFor;
        },
        { timeout: 20_000, interval: 200 },
      )
      .toBeGreaterThanOrEqual(5);
    expect(sent).toBeLessThan(FLOOD_BYTES / 2);
    if (!isRead) {
      client.destroy();
      return;
    }
    let got = 0;
    for await (const chunk of client) got += (chunk as Buffer).length;
    expect(got).toBeGreaterThan(FLOOD_BYTES);
  });
});
