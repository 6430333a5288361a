import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** proc_net_tcp: the state column of a listening socket. */
const LISTEN = "0A";
/** Local addresses that answer a connect to 127.0.0.1, as little-endian machines write them. */
const LOOPBACK = new Set([
  "0100007F",
  "00000000",
  "00000000000000000000000000000000",
  "0000000000000000FFFF00000100007F",
]);

/** Inodes of the sockets that listen on the port of 127.0.0.1, or of any address with `anyAddress`. */
export function listeningInodes(port: number, anyAddress = false): ReadonlySet<string> {
  const inodes = new Set<string>();
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readTable(table)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state !== LISTEN || inode === undefined || local?.endsWith(suffix) !== true) continue;
      if (anyAddress || LOOPBACK.has(local.slice(0, -suffix.length))) inodes.add(inode);
    }
  }
  return inodes;
}

/**
 * Connections to these addresses (`host:port`) that nobody has accepted yet. For a listening socket the column rx_queue of
 * proc_net_tcp is its accept queue.
 */
export function waitingConnections(addresses: readonly string[]): number {
  const ports = new Set(addresses.map((address) => Number(address.slice(address.lastIndexOf(":") + 1))));
  let waiting = 0;
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readTable(table)) {
      const [, local, , state, queues] = line.trim().split(/\s+/);
      if (state !== LISTEN || !ports.has(Number.parseInt(local?.split(":")[1] ?? "", 16))) continue;
      waiting += Number.parseInt(queues?.split(":")[1] ?? "0", 16);
    }
  }
  return waiting;
}

/** tcp6 is absent where IPv6 is switched off. */
function readTable(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(1);
  } catch {
    return [];
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
