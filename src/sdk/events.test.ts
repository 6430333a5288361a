import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TealClient } from "./client.ts";
import { CannedServer, event, eventually } from "./fixtures.ts";
import { systemClock } from "../main/clock.ts";

let server: CannedServer;
let client: TealClient;
let stop: AbortController;

beforeEach(async () => {
  server = await CannedServer.start();
  client = new TealClient({ socket: server.socket }, systemClock);
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await server.close();
});

/** Reads events in the background. */
function collect(
  after?: number,
  onOpen: () => void = () => undefined,
): { readonly seqs: number[]; readonly end: Promise<unknown> } {
  const seqs: number[] = [];
  const read = async (): Promise<unknown> => {
    try {
      const options = {
        follow: true,
        signal: stop.signal,
        onOpen,
        patienceMs: 400,
        ...(after === undefined ? {} : { after }),
      };
      for await (const { seq } of client.events(options)) seqs.push(seq);
      return "ended";
    } catch (thrown) {
      return thrown;
    }
  };
  return { seqs, end: read() };
}

describe("events", () => {
  it("ends at the newest without follow", async () => {
    server.emit(event(1, "warning", {}), event(2, "warning", {}), event(3, "warning", {}));
    const seqs: number[] = [];
    for await (const { seq } of client.events({ after: 1, follow: false })) seqs.push(seq);
    expect(seqs).toEqual([2, 3]);
    expect(server.streams).toBe(0);
  });

  it("goes on after the last one when the stream breaks off, each event once", async () => {
    const { seqs } = collect(0);
    await eventually(() => server.streams === 1, "a stream");
    server.emit(event(1, "warning", {}), event(2, "warning", {}));
    await eventually(() => seqs.length === 2, "two events");
    server.cutStreams();
    server.emit(event(3, "warning", {}));
    await eventually(() => seqs.length === 3, "the event while away");
    expect(seqs).toEqual([1, 2, 3]);
  });

  it("goes on across a restart of the server", async () => {
    const { seqs } = collect(0);
    await eventually(() => server.streams === 1, "a stream");
    server.emit(event(1, "warning", {}));
    await eventually(() => seqs.length === 1, "one event");
    await server.stop();
    server.events.push(event(2, "warning", {}));
    await server.listen();
    await eventually(() => seqs.length === 2, "the event after the restart");
    expect(seqs).toEqual([1, 2]);
  });

  it("tells when it stands, so that nothing that follows is missed", async () => {
    const opened = Promise.withResolvers<void>();
    const { seqs } = collect(undefined, opened.resolve);
    await opened.promise;
    await eventually(() => server.streams === 1, "a stream");
    server.emit(event(7, "warning", {}));
    await eventually(() => seqs.length === 1, "the event");
    expect(seqs).toEqual([7]);
  });

  it("skips kinds of events that it does not know", async () => {
    const { seqs } = collect(0);
    await eventually(() => server.streams === 1, "a stream");
    server.emit({ ...event(1, "warning", {}), type: "invented-later" as "warning" }, event(2, "warning", {}));
    await eventually(() => seqs.length === 1, "the known one");
    expect(seqs).toEqual([2]);
  });

  it("fails at once when nobody was there, and after its patience when the server stays away", async () => {
    const { seqs, end } = collect(0);
    await eventually(() => server.streams === 1, "a stream");
    await server.stop();
    expect(await end).toMatchObject({ code: "server-down" });
    expect(seqs).toEqual([]);
    const began = performance.now();
    await expect(client.events({ follow: true }).next()).rejects.toMatchObject({ code: "server-down" });
    expect(performance.now() - began).toBeLessThan(300);
  });

  it("ends with the reason of its signal, and leaves no stream behind", async () => {
    const { end } = collect(0);
    await eventually(() => server.streams === 1, "a stream");
    const reason = new Error("enough");
    stop.abort(reason);
    expect(await end).toBe(reason);
    await eventually(() => server.streams === 0, "no stream");
  });
});
