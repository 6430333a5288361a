import { fstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * A line of proc_net_tcp in state 0A, which is LISTEN: address and port of this end, the receive queue, and after four
 * more columns the inode.
 */
const LISTENING = /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:0000 0A [0-9A-F]+:([0-9A-F]+)(?: +\S+){4} +(\d+)/gm;
/** Local addresses that answer a connect to 127.0.0.1, as little-endian machines write them. */
const LOOPBACK = new Set([
  "0100007F",
  "00000000",
  "00000000000000000000000000000000",
  "0000000000000000FFFF00000100007F",
]);

/** A socket that listens. */
interface ListeningSocket {
  /** As the table writes it. */
  readonly address: string;
  readonly inode: string;
  /** Connections that nobody has accepted yet: for a listening socket the column rx_queue is its accept queue. */
  readonly waiting: number;
}

/** All of the machine, by port. */
export type ListeningSockets = ReadonlyMap<number, readonly ListeningSocket[]>;

/** Takes as long as the kernel needs to walk all its TCP connections: milliseconds, also when there are none. */
export function listeningSockets(): ListeningSockets {
  const sockets = new Map<number, ListeningSocket[]>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const [, address = "", port = "", queue = "", inode = ""] of readTable(table).matchAll(LISTENING)) {
      const socket = { address, inode, waiting: Number.parseInt(queue, 16) };
      const known = sockets.get(Number.parseInt(port, 16));
      if (known === undefined) sockets.set(Number.parseInt(port, 16), [socket]);
      else known.push(socket);
    }
  }
  return sockets;
}

/** Inodes of those that listen on the port of 127.0.0.1, or of any address with `anyAddress`. */
export function inodesOn(sockets: ListeningSockets, port: number, anyAddress = false): ReadonlySet<string> {
  const there = sockets.get(port) ?? [];
  return new Set(there.filter(({ address }) => anyAddress || LOOPBACK.has(address)).map(({ inode }) => inode));
}

/**
 * Connections that nobody has accepted yet, on these sockets, given as descriptors of this process: the kernel counts them
 * once for all processes that share a socket.
 */
export function waitingConnections(fds: readonly number[]): number {
  const inodes = new Set(fds.map((fd) => String(fstatSync(fd).ino)));
  const sockets = [...listeningSockets().values()].flat();
  return sockets.reduce((sum, { inode, waiting }) => sum + (inodes.has(inode) ? waiting : 0), 0);
}

/** tcp6 is absent where IPv6 is switched off. */
function readTable(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** Of the inodes, those that the process has open. */
export function inodesHeld(pid: number, inodes: ReadonlySet<string>): readonly string[] {
  const folder = `/proc/${String(pid)}/fd`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    // Ended meanwhile, or another user's.
    return [];
  }
  const held: string[] = [];
  for (const name of names) {
    const inode = /^socket:\[(\d+)\]$/.exec(target(`${folder}/${name}`))?.[1];
    if (inode !== undefined && inodes.has(inode)) held.push(inode);
  }
  return held;
}

function target(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** Some process that has one of the inodes open; null when none may be looked into. */
export function holderOf(inodes: ReadonlySet<string>): number | null {
  if (inodes.size === 0) return null;
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const pid = pids.find((name) => inodesHeld(Number(name), inodes).length > 0);
  return pid === undefined ? null : Number(pid);
}
