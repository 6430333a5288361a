import { once } from "node:events";
import { connect, createServer } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { Peer } from "./peer.ts";
import { defineProtocol } from "./protocol.ts";

const CALLS = 500;
const protocol = defineProtocol({
  name: "test",
  versions: [1],
  calls: { double: { params: z.object({ n: z.int() }), result: z.object({ n: z.int() }) } },
  notices: {},
});

test("hundreds of calls at once are answered within few turns of the event loop", async () => {
  const folder = mkdtempSync(join(tmpdir(), "teal-turns-"));
  const path = join(folder, "s.sock");
  const server = createServer((socket) => {
    const far = new Peer(socket, protocol);
    far.handle({ double: ({ n }) => ({ n: 2 * n }) });
    far.listen();
  }).listen(path);
  await once(server, "listening");
  const near = connect({ path });
  await once(near, "connect");
  const peer = new Peer(near, protocol);
  peer.listen();
  try {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const answers = await Promise.all(Array.from({ length: CALLS }, (_, n) => peer.call("double", { n })));
    isOver = true;
    expect(answers.map(({ n }) => n)).toEqual(Array.from({ length: CALLS }, (_, n) => 2 * n));
    expect(turns).toBeLessThan(CALLS / 2);
  } finally {
    peer.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
});
