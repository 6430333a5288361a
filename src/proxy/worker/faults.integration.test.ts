import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { PATIENCE } from "../../../test/proxy-harness.ts";
import { sharedInts } from "../cells.ts";
import { type Counted, type RawClient, WorkerHarness } from "./worker-harness.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";

/** Of one request that the instance failed. */
const FAILED = { requests: 1, failures: 1, retried: 0, connectFailures: 0, classes: [0, 0, 0, 0, 1] };
const SERVED = { requests: 1, failures: 0, retried: 0, connectFailures: 0, classes: [0, 1, 0, 0, 0] };
/** Broken off after a head that said 200. */
const BROKEN = { ...SERVED, failures: 1 };
/** Nobody was answered by the service, and so nothing counts. */
const NOTHING = { ...SERVED, requests: 0, classes: [0, 0, 0, 0, 0] };

/** Does something to each request's first bytes; `number` counts the requests of all connections from 1. */
const on =
  (act: (socket: Socket, number: number) => void) =>
  (first: { number: number }) =>
  (socket: Socket): void => {
    socket.on("data", () => {
      first.number += 1;
      act(socket, first.number);
    });
  };

/** Writes, and resets once that is on its way, in a turn of its own. */
function writeThenReset(socket: Socket, bytes: string): void {
  socket.write(bytes, () => setImmediate(() => socket.resetAndDestroy()));
}

interface Fault {
  readonly name: string;
  readonly instance: ReturnType<typeof on>;
  readonly ask?: readonly string[];
  readonly answer: RegExp;
  readonly ends: RawClient["ended"];
  readonly counted: Counted;
  /** Connections that the instance saw, and those of them that are kept afterwards. */
  readonly connections: number;
  readonly kept?: number;
}

const FAULTS: readonly Fault[] = [
  {
    name: "a reset before the head, GET: sent again twice",
    instance: on((socket) => socket.resetAndDestroy()),
    answer: /^HTTP\/1\.1 502 .*Teal-Error: bad-gateway/s,
    ends: "",
    counted: { ...FAILED, retried: 2 },
    connections: 3,
  },
  {
    name: "a reset before the head, POST: never sent again",
    instance: on((socket) => socket.resetAndDestroy()),
    ask: [POST],
    answer: /^HTTP\/1\.1 502 .*Teal-Error: bad-gateway/s,
    ends: "",
    counted: FAILED,
    connections: 1,
  },
  {
    name: "an end before the head",
    instance: on((socket) => socket.end()),
    ask: [POST],
    answer: /^HTTP\/1\.1 502 /,
    ends: "",
    counted: FAILED,
    connections: 1,
  },
  {
    name: "a reset in the head",
    instance: on((socket) => {
      writeThenReset(socket, "HTTP/1.1 200 OK\r\nContent-Le");
    }),
    answer: /^HTTP\/1\.1 502 /,
    ends: "",
    counted: FAILED,
    connections: 1,
  },
  {
    name: "a reset right after the head",
    instance: on((socket) => {
      writeThenReset(socket, HEAD);
    }),
    answer: /^HTTP\/1\.1 200 .*\r\n\r\n$/s,
    ends: "end",
    counted: BROKEN,
    connections: 1,
  },
  {
    name: "a reset in a body with a length",
    instance: on((socket) => {
      writeThenReset(socket, `${HEAD}half`);
    }),
    answer: /\r\n\r\nhalf$/,
    ends: "end",
    counted: BROKEN,
    connections: 1,
  },
  {
    name: "a reset in a chunked body",
    instance: on((socket) => {
      writeThenReset(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    }),
    answer: /\r\n\r\n4\r\nhalf\r\n$/,
    ends: "end",
    counted: BROKEN,
    connections: 1,
  },
  {
    name: "a reset in a body without an end of its own",
    instance: on((socket) => {
      writeThenReset(socket, "HTTP/1.1 200 OK\r\n\r\nhalf");
    }),
    answer: /\r\n\r\n4\r\nhalf\r\n$/,
    ends: "end",
    counted: BROKEN,
    connections: 1,
  },
  {
    name: "a reset on a reused connection, GET: answered by another",
    instance: on((socket, number) => (number === 2 ? socket.resetAndDestroy() : socket.write(OK))),
    ask: [GET, GET],
    answer: /^HTTP\/1\.1 200 .*okHTTP\/1\.1 200 .*ok$/s,
    ends: "",
    counted: { ...SERVED, requests: 2, retried: 1, classes: [0, 2, 0, 0, 0] },
    connections: 2,
    kept: 1,
  },
  {
    name: "a reset on a reused connection, POST: refused, as it may have been done",
    instance: on((socket, number) => (number === 2 ? socket.resetAndDestroy() : socket.write(OK))),
    ask: [GET, POST],
    answer: /^HTTP\/1\.1 200 .*okHTTP\/1\.1 502 /s,
    ends: "",
    counted: { ...FAILED, requests: 2, classes: [0, 1, 0, 0, 1] },
    connections: 1,
  },
  {
    name: "an answer, and then the end of the instance's direction",
    instance: on((socket) => socket.end(OK)),
    ask: [GET, GET],
    answer: /^HTTP\/1\.1 200 .*okHTTP\/1\.1 200 .*ok$/s,
    ends: "",
    counted: { ...SERVED, requests: 2, classes: [0, 2, 0, 0, 0] },
    connections: 2,
  },
  {
    name: "more bytes than Content-Length: not passed on, nor used for the next answer",
    instance: on((socket) => socket.write(`${OK}${OK.replace("ok", "no")}`)),
    ask: [GET, GET],
    answer: /^HTTP\/1\.1 200 (?:(?!no).)*okHTTP\/1\.1 200 (?:(?!no).)*ok$/s,
    ends: "",
    counted: { ...SERVED, requests: 2, classes: [0, 2, 0, 0, 0] },
    connections: 2,
  },
  {
    name: "text that is no answer",
    instance: on((socket) => socket.write("hello\r\n\r\n")),
    answer: /^HTTP\/1\.1 502 /,
    ends: "",
    counted: FAILED,
    connections: 1,
  },
  {
    name: "binary garbage",
    instance: on((socket) => socket.write(Buffer.alloc(100_000, 0x16))),
    answer: /^HTTP\/1\.1 502 /,
    ends: "",
    counted: FAILED,
    connections: 1,
  },
  {
    name: "an answer's head without end",
    instance: on((socket) => socket.write(`HTTP/1.1 200 OK\r\n${"X-More: of it\r\n".repeat(20_000)}`)),
    answer: /^HTTP\/1\.1 502 /,
    ends: "",
    counted: FAILED,
    connections: 1,
  },
  {
    name: "garbage in a chunked body",
    instance: on((socket) => socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalfgarbage")),
    answer: /^HTTP\/1\.1 200 (?:(?!0\r\n\r\n).)*$/s,
    ends: "end",
    counted: BROKEN,
    connections: 1,
  },
  {
    name: "an early answer to a body that is not whole",
    instance: on((socket) => socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")),
    ask: ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\npart"],
    answer: /^HTTP\/1\.1 413 .*Connection: close.*\r\n\r\nbig$/s,
    ends: "end",
    counted: { ...SERVED, classes: [0, 0, 0, 1, 0] },
    connections: 1,
  },
];

describe("faults, and what the data plane counts of them", () => {
  let harness: WorkerHarness;
  const started = async (instance: Fault["instance"]): Promise<WorkerHarness> => {
    harness = await new WorkerHarness(instance({ number: 0 })).start();
    return harness;
  };
  /** Nothing is left of the clients but what is kept for the next ones. */
  const nothingLeft = async (kept = 0): Promise<void> => {
    harness.leave();
    const rest = { inFlight: 0, atInstance: 0, inLedger: 0, sockets: 2 * kept };
    await expect.poll(() => harness.underWay, PATIENCE).toEqual(rest);
    expect(harness.errors).toEqual([]);
  };
  afterEach(async () => {
    await harness.close();
    await expect.poll(() => harness.underWay.sockets, PATIENCE).toBe(0);
  });

  test.each(FAULTS)("$name", async ({ instance, ask = [GET], answer, ends, counted, connections, kept = 0 }) => {
    await started(instance);
    const client = await harness.client();
    for (const [index, bytes] of ask.entries()) {
      client.socket.write(bytes);
      // One after another: a request that is pipelined waits for the answer before it anyway.
      const answers = new RegExp(`(?:HTTP/1\\.1 .*){${String(index + 1)}}\r\n\r\n`, "s");
      await expect.poll(() => client.text, PATIENCE).toMatch(answers);
    }
    await expect.poll(() => client.text, PATIENCE).toMatch(answer);
    if (ends !== "") await expect.poll(() => client.ended, PATIENCE).toBe(ends);
    await expect.poll(() => harness.counted, PATIENCE).toEqual(counted);
    expect(client.ended).toBe(ends);
    expect(harness.instance.connections).toBe(connections);
    await nothingLeft(kept);
  });

  test("a GET when all kept connections have just ended: answered on a new one", async () => {
    const KEPT = 5;
    const sockets: Socket[] = [];
    await started(
      on((socket, number) => {
        if (number > KEPT) socket.write(OK);
        else if (sockets.push(socket) === KEPT) for (const each of sockets) each.write(OK);
      }),
    );
    const clients = await Promise.all(Array.from({ length: KEPT }, () => harness.client()));
    for (const { socket } of clients) socket.write(GET);
    await expect.poll(() => clients.every(({ text }) => text.endsWith("ok")), PATIENCE).toBe(true);
    // In one turn: the request is there to be read before the ends are, and the newest kept, taken first, ends first.
    clients[0]?.socket.write(GET);
    for (const socket of sockets.toReversed()) socket.destroy();
    await expect.poll(() => clients[0]?.text, PATIENCE).toMatch(/ok.*HTTP\/1\.1 /s);
    expect(clients[0]?.text).toMatch(/ok.* 200 .*ok$/s);
    expect(harness.counted).toEqual({ ...SERVED, requests: 6, retried: 1, classes: [0, 6, 0, 0, 0] });
    expect(harness.instance.connections).toBe(KEPT + 1);
    await nothingLeft(1);
  });

  test("a POST after a standstill, in which an instance answered and then closed: on a new connection", async () => {
    let asked: Socket | null = null;
    await started(on((socket, number) => (number === 1 ? (asked = socket) : socket.write(OK))));
    const [early, late] = [await harness.client(), await harness.client()];
    early.socket.write(GET);
    await expect.poll(() => asked, PATIENCE).not.toBeNull();
    // In one turn: the answer is there to be read before the request is, and the end after it.
    const socket = asked as unknown as Socket;
    socket.write(OK);
    late.socket.write(POST);
    socket.destroy();
    harness.nowMs += 17_000;
    await expect.poll(() => late.text, PATIENCE).toMatch(/^HTTP\/1\.1 /);
    expect([early.text, late.text]).toEqual([
      expect.stringMatching(/ 200 .*ok$/s),
      expect.stringMatching(/ 200 .*ok$/s),
    ]);
    expect(harness.instance.connections).toBe(2);
    await nothingLeft(1);
  });

  test("requests that came while the process stood still are answered, however long that was", async () => {
    await started(on((socket) => socket.write(OK)));
    const client = await harness.client();
    client.socket.write(GET);
    await expect.poll(() => client.text, PATIENCE).toMatch(/ok$/);
    // What comes behind this phase of the event loop are the timers.
    await new Promise(setImmediate);
    client.socket.write(GET);
    harness.nowMs += 3_600_000;
    Atomics.wait(sharedInts(1), 0, 0, 600);
    await expect.poll(() => client.text, PATIENCE).toMatch(/ok.*ok$/s);
    expect(client.ended).toBe("");
    await nothingLeft(1);
  });

  test("an instance that never answers", async () => {
    await started(on(() => undefined));
    const client = await harness.client();
    client.socket.write(GET);
    await expect.poll(() => harness.instance.connections, PATIENCE).toBe(1);
    await expect.poll(() => harness.underWay.inFlight, PATIENCE).toBe(1);
    harness.nowMs += 61_000;
    await expect.poll(() => client.text, PATIENCE).toMatch(/^HTTP\/1\.1 504 .*Teal-Error: gateway-timeout/s);
    expect(harness.counted).toEqual(FAILED);
    await nothingLeft();
  });

  test("a client that leaves before the answer, in it, or in its own body", async () => {
    await started(on((socket, number) => (number === 2 ? socket.write(`${HEAD}half`) : undefined)));
    const early = await harness.client();
    early.socket.write(GET);
    await expect.poll(() => harness.underWay.inFlight, PATIENCE).toBe(1);
    early.socket.resetAndDestroy();
    await expect.poll(() => harness.underWay, PATIENCE).toMatchObject({ inFlight: 0, sockets: 0 });
    expect(harness.counted).toEqual(NOTHING);
    const late = await harness.client();
    late.socket.write(GET);
    await expect.poll(() => late.text, PATIENCE).toMatch(/half$/);
    late.socket.resetAndDestroy();
    await expect.poll(() => harness.underWay, PATIENCE).toMatchObject({ inFlight: 0, sockets: 0 });
    // That the answer broke off is not the instance's failure.
    expect(harness.counted).toEqual(SERVED);
    const short = await harness.client();
    short.socket.end(POST.slice(0, -2));
    await expect.poll(() => short.ended, PATIENCE).not.toBe("");
    expect([short.text, harness.counted]).toEqual(["", SERVED]);
    await nothingLeft();
  });

  test("a client that ended its direction after its request", async () => {
    await started(on((socket) => socket.write(OK)));
    const client = await harness.client();
    client.socket.end(GET);
    await expect.poll(() => client.ended, PATIENCE).toBe("end");
    expect(client.text).toMatch(/^HTTP\/1\.1 200 .*ok$/s);
    expect(harness.counted).toEqual(SERVED);
    await nothingLeft(1);
  });

  test("heads that come a byte at a time do not stand in others' way, and end in time", async () => {
    await started(on((socket) => socket.write(OK)));
    const slow = await Promise.all(Array.from({ length: 50 }, () => harness.client()));
    for (const byte of GET.slice(0, 12)) for (const { socket } of slow) socket.write(byte);
    const other = await harness.client();
    other.socket.write(GET);
    await expect.poll(() => other.text, PATIENCE).toMatch(/ok$/);
    harness.nowMs += 31_000;
    await expect.poll(() => slow.every(({ text }) => text.startsWith("HTTP/1.1 408 ")), PATIENCE).toBe(true);
    // A client that goes on nevertheless is not read for ever.
    harness.nowMs += 3_000;
    await expect.poll(() => slow.every(({ ended }) => ended !== ""), PATIENCE).toBe(true);
    expect([harness.counted, harness.instance.connections]).toEqual([SERVED, 1]);
    await nothingLeft(1);
  });

  test("a body that comes slowly is taken, and one that stops is not waited for", async () => {
    let got = "";
    await started(() => (socket) => {
      socket.on("data", (chunk: Buffer) => {
        got += chunk.toString("latin1");
      });
    });
    const client = await harness.client();
    client.socket.write(POST.slice(0, -4));
    for (const byte of "bod") {
      const before = got.length;
      client.socket.write(byte);
      await expect.poll(() => got.length, PATIENCE).toBeGreaterThan(before);
      harness.nowMs += 50_000;
    }
    expect(client.text).toBe("");
    harness.nowMs += 11_000;
    await expect.poll(() => client.text, PATIENCE).toMatch(/^HTTP\/1\.1 408 .*Connection: close/s);
    expect(harness.counted).toEqual({ ...SERVED, classes: [0, 0, 0, 1, 0] });
    await nothingLeft();
  });

  test.each([
    ["too many fields", `GET / HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(300)}`],
    ["fields that are too long", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(40_000)}`],
    ["a target that is too long", `GET /${"y".repeat(40_000)}`],
  ])("a flood of %s", async (_, bytes) => {
    await started(on((socket) => socket.write(OK)));
    const client = await harness.client();
    client.socket.write(bytes);
    await expect.poll(() => client.ended, PATIENCE).not.toBe("");
    expect(client.text).toMatch(/^HTTP\/1\.1 4(?:31|14) .*Connection: close/s);
    expect([harness.counted, harness.instance.connections]).toEqual([NOTHING, 0]);
    await nothingLeft();
  });
});
