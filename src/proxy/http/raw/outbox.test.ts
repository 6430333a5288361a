import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { Outbox } from "./outbox.ts";

test("what is put together goes out whole and in order, however large, and whatever waits stays as it was", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [typeof socket];
  accepted.pause();
  const outbox = new Outbox();
  let expected = "";
  // More than the kernel takes at once, so that parts of several slabs wait.
  for (let n = 0; n < 200; n += 1) {
    const body = String.fromCharCode(97 + (n % 26)).repeat(n % 7 === 0 ? 300_000 : 40_000);
    outbox.text("head ");
    outbox.append(Buffer.from(body), 0, body.length);
    expected += `head ${body}`;
    outbox.sendTo(socket);
  }
  expect(socket.writableLength).toBeGreaterThan(0);
  socket.end();
  const got = await text(accepted);
  expect(got.length).toBe(expected.length);
  expect(got === expected).toBe(true);
  server.close();
});

test("what is taken as text, or discarded, is not sent", async () => {
  const outbox = new Outbox();
  outbox.text("one");
  expect(outbox.takeText()).toBe("one");
  outbox.text("two");
  outbox.discard();
  expect(outbox.takeText()).toBe("");
});
