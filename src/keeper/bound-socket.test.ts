import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { bindByHandle, bindSocket } from "./bound-socket.ts";
import { ListeningSockets } from "./listeners.ts";
import { bindError, holdSocket } from "./sockets.ts";

describe.each([
  ["by this Node's own way", bindSocket],
  ["as older Node has to", bindByHandle],
])("a socket bound %s", (_name, bind) => {
  test("has a port and a descriptor, and does not listen", () => {
    const socket = bind("127.0.0.1", 0);
    expect(socket.port).toBeGreaterThan(0);
    expect(socket.fd).toBeGreaterThan(2);
    expect(new ListeningSockets().inodesOn(socket.port).size).toBe(0);
    socket.close();
  });

  test("is refused where another listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      expect(() => bind("127.0.0.1", port)).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
    } finally {
      server.close();
    }
  });

  test("is refused on an address of another machine", () => {
    // TEST-NET-1, RFC 5737.
    expect(() => bind("192.0.2.1", 0)).toThrow(expect.objectContaining({ code: "EADDRNOTAVAIL" }));
  });
});

test("what cannot be bound is told as an error of the catalogue", () => {
  expect(() => holdSocket("192.0.2.1:80")).toThrow(/192\.0\.2\.1:80 is not an address of this machine/);
});

test("a privileged port says so, and what to do", () => {
  const refused = Object.assign(new Error("bind EACCES"), { code: "EACCES" });
  const error = bindError({ host: "0.0.0.0", port: 80 }, refused);
  expect(error.code).toBe("port-taken");
  expect(error.message).toBe("0.0.0.0:80 may not be bound by this user: ports below 1024 are privileged");
  expect(error.remedy).toContain("ip_unprivileged_port_start");
});
