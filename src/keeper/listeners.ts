import { closeSync, fstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";

/**
 * A line of proc_net_tcp in state 0A, which is LISTEN: address and port of this end, the receive queue, and after four
 * more columns the inode.
 */
const LISTENING = /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:0000 0A [0-9A-F]+:([0-9A-F]+)(?: +\S+){4} +(\d+)/;
/** Any other of its lines. */
const NOT_LISTENING = /^ *\d+: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} (?!0A)[0-9A-F]{2} /;
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

/**
 * All sockets of the machine that listen, as they were when this was made. It keeps the kernel's text: with thousands of
 * sockets one or two ports are asked for.
 */
export class ListeningSockets {
  readonly #tables: readonly string[];

  /** @param toTheEnd reads all of the tables, where they might be in another order than Linux's */
  constructor(toTheEnd = false) {
    this.#tables = ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readListening(path, toTheEnd));
  }

  /** Inodes of those that listen on the port of 127.0.0.1, or of any address with `anyAddress`. */
  inodesOn(port: number, anyAddress = false): ReadonlySet<string> {
    const mark = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
    const inodes = new Set<string>();
    for (const table of this.#tables) {
      for (let at = table.indexOf(mark); at !== -1; at = table.indexOf(mark, at + 1)) {
        const socket = socketOf(lineAround(table, at), mark);
        if (socket !== null && (anyAddress || LOOPBACK.has(socket.address))) inodes.add(socket.inode);
      }
    }
    return inodes;
  }

  /** Connections that nobody has accepted yet, on the sockets with these inodes. */
  waitingOn(inodes: ReadonlySet<string>): number {
    const sockets = this.#tables.flatMap((table) => table.split("\n").flatMap((line) => socketOf(line) ?? []));
    return sockets.reduce((sum, { inode, waiting }) => sum + (inodes.has(inode) ? waiting : 0), 0);
  }
}

/** The socket of a line; null: it is another line, or its own port is not the one marked. */
function socketOf(line: string, mark: string | null = null): ListeningSocket | null {
  const [, address = "", port = "", queue = "", inode = ""] = LISTENING.exec(line) ?? [];
  if (inode === "" || (mark !== null && mark !== `:${port} `)) return null;
  return { address, inode, waiting: Number.parseInt(queue, 16) };
}

function lineAround(text: string, at: number): string {
  const end = text.indexOf("\n", at);
  return text.slice(text.lastIndexOf("\n", at) + 1, end === -1 ? text.length : end);
}

/**
 * Connections that nobody has accepted yet, on these sockets, given as descriptors of this process: the kernel counts them
 * once for all processes that share a socket.
 */
export function waitingConnections(fds: readonly number[]): number {
  return new ListeningSockets().waitingOn(new Set(fds.map((fd) => String(fstatSync(fd).ino))));
}

/** The kernel gives some 4 KiB at a time, of whole lines. */
const chunk = Buffer.allocUnsafeSlow(65_536);

/**
 * The lines of the sockets that listen, and perhaps some more. "It will first list all listening TCP sockets, and next list
 * all established TCP connections" (Linux, proc_net_tcp.rst). Those are left unread: after thousands of health checks
 * there are tens of thousands that wait for their end, and to list them takes the kernel a tenth of a second.
 */
function readListening(path: string, toTheEnd: boolean): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    // tcp6 is absent where IPv6 is switched off.
    return "";
  }
  try {
    let text = "";
    for (let isPast = false; !isPast;) {
      const length = readSync(fd, chunk, 0, chunk.length, null);
      if (length === 0) break;
      const more = chunk.toString("latin1", 0, length);
      text += more;
      isPast = !toTheEnd && NOT_LISTENING.test(more.slice(more.lastIndexOf("\n", length - 2) + 1));
    }
    return text;
  } finally {
    closeSync(fd);
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
