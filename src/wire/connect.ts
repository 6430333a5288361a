import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { z } from "zod";
import type { ErrorCode } from "../model/catalogue.ts";
import { TealError, toTealError } from "../model/error.ts";
import { deadlineSignal } from "./deadline.ts";
import { type CallOptions, type Handlers, Peer } from "./peer.ts";
import type { Notice, NoticeName, Protocol } from "./protocol.ts";

const hello = {
  params: z.object({ protocol: z.string(), versions: z.array(z.int()) }),
  result: z.object({ version: z.int() }),
};

/** Adds the handshake, so that it is typed and checked as every other call. */
function withHello<P extends Protocol>(protocol: P): P {
  return { ...protocol, calls: { ...protocol.calls, hello } };
}

/**
 * Connects to a control socket and agrees on a version.
 * @throws `protocol-mismatch` when no version is common; `forbidden` when the socket is another user's; `down` when nobody listens
 */
export async function connectPeer<P extends Protocol>(
  path: string,
  protocol: P,
  options: CallOptions & {
    readonly down: "server-down" | "keeper-down" | "data-plane-down";
    readonly prepare?: (peer: Peer<P>) => void;
  },
): Promise<Peer<P>> {
  using deadline = deadlineSignal(options.timeoutMs ?? 5_000, `connecting to ${path}`, options.signal);
  const socket = connect({ path });
  // Until the handshake is done; a connection that stands does not end with the signal that it was made under.
  const onAbort = (): void => {
    socket.destroy(toTealError(deadline.signal.reason));
  };
  deadline.signal.addEventListener("abort", onAbort, { once: true });
  try {
    await connected(socket, path, options.down);
    const peer = new Peer(socket, withHello(protocol), options.down);
    options.prepare?.(peer);
    peer.listen();
    const greeter = peer as unknown as Peer<Protocol>;
    const greeting = { protocol: protocol.name, versions: [...protocol.versions] };
    const agreed = await greeter.call("hello", greeting, { signal: deadline.signal });
    peer.version = hello.result.parse(agreed).version;
    return peer;
  } catch (thrown) {
    socket.destroy();
    throw deadline.signal.aborted ? toTealError(deadline.signal.reason) : thrown;
  } finally {
    deadline.signal.removeEventListener("abort", onAbort);
  }
}

function connected(socket: Socket, path: string, down: ErrorCode): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve();
    });
    socket.once("error", (cause) => {
      const isForeign = "code" in cause && cause.code === "EACCES";
      reject(
        isForeign
          ? new TealError("forbidden", `${path} belongs to another user`, { cause })
          : new TealError(down, `nobody answers at ${path}`, { cause }),
      );
    });
  });
}

/** Answers a protocol on a control socket (mode 0600), for any number of peers. */
export class PeerServer<P extends Protocol> {
  readonly #protocol: P;
  readonly #server: Server;
  readonly #peers = new Set<Peer<P>>();

  private constructor(protocol: P, server: Server) {
    this.#protocol = protocol;
    this.#server = server;
  }

  /** Replaces a socket file that is left over: the caller has made sure (by its lock) that no other process serves it. */
  static async listen<P extends Protocol>(path: string, protocol: P, handlers: Handlers<P>): Promise<PeerServer<P>> {
    rmSync(path, { force: true });
    const server = createServer();
    const self = new PeerServer(protocol, server);
    server.on("connection", (socket) => {
      const peer = new Peer(socket, withHello(protocol));
      peer.handle({ ...handlers, hello: (params: z.output<typeof hello.params>) => self.#greet(params) });
      self.#peers.add(peer);
      void peer.closed.then(() => self.#peers.delete(peer));
      peer.listen();
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      privately(() => server.listen(path, resolve));
    });
    return self;
  }

  notify<N extends NoticeName<P>>(notice: N, params: Notice<P, N>): void {
    for (const peer of this.#peers) peer.notify(notice, params);
  }

  /** Peers that are connected at present. */
  get size(): number {
    return this.#peers.size;
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.close();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  #greet(params: z.output<typeof hello.params>): z.output<typeof hello.result> {
    const { name, versions } = this.#protocol;
    const version = versions.find((candidate) => params.versions.includes(candidate));
    if (params.protocol !== name || version === undefined) {
      throw new TealError(
        "protocol-mismatch",
        `this end speaks ${name} ${versions.join(", ")}, the other ${params.protocol} ${params.versions.join(", ")}`,
      );
    }
    return { version };
  }
}

/**
 * Runs `bind`, so that the file which it makes at once is for this user alone. A chmod afterwards would leave others an
 * instant to connect, as they may pass through the state directory.
 */
function privately(bind: () => unknown): void {
  const before = process.umask(0o177);
  try {
    bind();
  } finally {
    process.umask(before);
  }
}
