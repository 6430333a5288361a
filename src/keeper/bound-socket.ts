import net from "node:net";
import { getSystemErrorName } from "node:util";

/** A TCP socket that is bound and does not listen: what the keeper holds, and hands duplicates of to each proxy. */
export interface BoundSocket {
  readonly fd: number;
  readonly host: string;
  readonly port: number;
  close(): void;
}

/**
 * Binds, with SO_REUSEADDR as every listening socket of Node.
 * @param host a numeric address
 * @throws an Error with `code` EADDRINUSE, EACCES, EADDRNOTAVAIL …
 */
export function bindSocket(host: string, port: number): BoundSocket {
  // net.BoundSocket is there from Node 26.4 on.
  return "BoundSocket" in net ? bindByClass(host, port) : bindByHandle(host, port);
}

function bindByClass(host: string, port: number): BoundSocket {
  const bound = new net.BoundSocket({ host, port });
  return { fd: bound.fd(), host, port: bound.address().port, close: () => bound.close() };
}

interface TcpHandle {
  readonly fd: number;
  getsockname(out: { port?: number }): number;
  close(): void;
}
type CreateServerHandle = (host: string, port: number, family: 4 | 6, fd: number, flags: number) => TcpHandle | number;

/** Older Node has no public way to bind without listening; this export of `net` is what its cluster module uses. */
export function bindByHandle(host: string, port: number): BoundSocket {
  const { _createServerHandle: create } = net as unknown as { readonly _createServerHandle: CreateServerHandle };
  const handle = create(host, port, net.isIPv6(host) ? 6 : 4, -1, 0);
  if (typeof handle === "number") throw systemError(handle, host, port);
  // libuv tells of EADDRINUSE only at the next call on the socket.
  const name: { port?: number } = {};
  const failure = handle.getsockname(name);
  if (failure !== 0 || name.port === undefined) {
    handle.close();
    throw systemError(failure, host, port);
  }
  return { fd: handle.fd, host, port: name.port, close: () => handle.close() };
}

function systemError(errno: number, host: string, port: number): Error {
  const code = errno === 0 ? "EINVAL" : getSystemErrorName(errno);
  return Object.assign(new Error(`bind ${code} ${host}:${String(port)}`), { code });
}
