import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { requiresIpv6 } from "../../test/requires.ts";
import { bindSocket } from "./bound-socket.ts";
import { ListeningSockets, waitingConnections } from "./listeners.ts";

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

/** States of a table's lines, in their order; see proc_net_tcp.rst. */
const states = (path: string): readonly string[] =>
  readFileSync(path, "latin1")
    .split("\n")
    .slice(1, -1)
    .map((line) => line.trim().split(/ +/)[3] ?? "");

test.for([["127.0.0.1", "127.0.0.2", "/proc/net/tcp"] as const, ["::1", "::", "/proc/net/tcp6"] as const])(
  "who listens on a port of %s is found among all connections, and the kernel lists those last",
  async ([host, other, table], context) => {
    if (host.includes(":")) requiresIpv6(context);
    const connections: Socket[] = [];
    const server = createServer((socket) => void connections.push(socket)).listen({ host, port: 0, ipv6Only: true });
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const elsewhere = createServer().listen({ host: other, port: 0, ipv6Only: true });
    await once(elsewhere, "listening");
    onTestFinished(() => {
      for (const socket of connections) socket.destroy();
      elsewhere.close();
      server.close();
    });
    for (let made = 0; made < 100; made += 1) {
      const socket = createConnection(port, host);
      connections.push(socket);
      await once(socket, "connect");
    }
    const all = states(table);
    expect(all).toContain("01");
    expect(all.slice(0, all.lastIndexOf("0A") + 1).filter((state) => state !== "0A")).toEqual([]);
    for (const sockets of [new ListeningSockets(), new ListeningSockets(true)])
      expect(sockets.inodesOn(port, true).size).toBe(1);
    expect(new ListeningSockets().inodesOn(port).size).toBe(host === "127.0.0.1" ? 1 : 0);
    const { port: otherPort } = elsewhere.address() as { port: number };
    expect(new ListeningSockets().inodesOn(otherPort, true).size).toBe(1);
    // Their own ends listen nowhere.
    const { localPort = 0 } = connections.find((socket) => socket.remotePort === port) ?? {};
    expect(new ListeningSockets().inodesOn(localPort, true).size).toBe(0);
  },
);
