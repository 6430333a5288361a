import { spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { expect, test } from "vitest";
import { bindSocket } from "./bound-socket.ts";
import { waitingConnections } from "./listeners.ts";

/** Listens on the descriptor 3, and accepts nothing. */
const STOPPED = 'require("node:net").createServer().listen({ fd: 3 }, () => process.kill(process.pid, "SIGSTOP"))';

test("connections wait on one's own socket, not on another at the same port of another address", async () => {
  const ours = bindSocket("127.0.0.1", 0);
  const theirs = bindSocket("127.0.0.2", ours.port);
  const children = [ours, theirs].map(({ fd }) =>
    spawn(process.execPath, ["-e", STOPPED], { stdio: ["ignore", "ignore", "inherit", fd] }),
  );
  const clients: ReturnType<typeof createConnection>[] = [];
  const wait = async (host: string): Promise<void> => {
    await expect
      .poll(
        async () => {
          const client = createConnection(ours.port, host);
          clients.push(client);
          return once(client, "connect").then(
            () => true,
            () => false,
          );
        },
        { timeout: 20_000 },
      )
      .toBe(true);
  };
  try {
    await wait("127.0.0.2");
    expect([waitingConnections([ours.fd]), waitingConnections([theirs.fd])]).toEqual([0, 1]);
    await wait("127.0.0.1");
    expect([waitingConnections([ours.fd]), waitingConnections([theirs.fd])]).toEqual([1, 1]);
    expect(waitingConnections([ours.fd, theirs.fd])).toBe(2);
  } finally {
    for (const client of clients) client.destroy();
    const ended = Promise.all(children.map((child) => once(child, "exit")));
    for (const child of children) child.kill("SIGKILL");
    await ended;
    ours.close();
    theirs.close();
  }
});
