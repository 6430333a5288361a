import { connect, Socket, type SocketConstructorOpts } from "node:net";
import { READ_BYTES } from "./limits.ts";

/** What happens on a connection. After `closed` nothing comes. */
export interface SocketEvents {
  connected(): void;
  /** `length` bytes from the start of a buffer that all connections share: what is needed later must be copied. */
  received(shared: Buffer, length: number): void;
  /** The other side has ended its direction. */
  readEnded(): void;
  /** All that was written is with the kernel, after a write that was not at once. */
  drained(): void;
  closed(): void;
  /** A fault of our own: this connection must end, and no other. */
  failed(error: Error): void;
}

/** Filled by the kernel and looked at in the same turn, so one is enough for all connections of a thread. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/** A connection that came in, and nobody's yet. */
export interface Accepted {
  /** libuv's; the option by which net.Server itself makes sockets. */
  readonly handle: { close(): void };
  readonly address: string;
  /** `address:port` that the client reached: the host of a request that names none. */
  readonly localHost: string;
  readonly localPort: number;
}

/**
 * Takes the connection from the socket that Node made for it: Node reads into a buffer of ours (`onread`) only for
 * sockets that it does not accept itself. Null: the client has gone already.
 */
export function accept(socket: Socket): Accepted | null {
  const owner = socket as unknown as { _handle: { close(): void } | null };
  const { localAddress, localPort, remoteAddress } = socket;
  const handle = owner._handle;
  if (handle === null) return null;
  owner._handle = null;
  // Without the zone of a link-local address, which means nothing elsewhere.
  const address = (remoteAddress ?? "unknown").replace(/^::ffff:/, "").replace(/%.*$/, "");
  return {
    handle,
    address,
    localHost: `${localAddress ?? "localhost"}:${String(localPort)}`,
    localPort: localPort ?? 0,
  };
}

/** The socket of our own for an accepted connection. */
export function adopt({ handle }: Accepted, events: SocketEvents): Socket {
  const options = { handle, allowHalfOpen: true, onread: onreadOf(events) };
  const socket = new Socket(options as unknown as SocketConstructorOpts);
  listen(socket, events);
  return socket;
}

export function dial(host: string, port: number, events: SocketEvents): Socket {
  const socket = connect({
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    onread: onreadOf(events),
  });
  socket.once("connect", () => {
    events.connected();
  });
  listen(socket, events);
  return socket;
}

function onreadOf(events: SocketEvents): {
  buffer: Buffer;
  callback: (length: number) => boolean;
} {
  return {
    buffer: shared,
    callback: (length) => {
      try {
        events.received(shared, length);
      } catch (thrown) {
        events.failed(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
      return true;
    },
  };
}

function listen(socket: Socket, events: SocketEvents): void {
  socket.on("end", () => {
    events.readEnded();
  });
  socket.on("drain", () => {
    events.drained();
  });
  // An error is followed by "close".
  socket.on("error", () => undefined);
  socket.once("close", () => {
    events.closed();
  });
}
