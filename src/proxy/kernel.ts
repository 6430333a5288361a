import { readFileSync } from "node:fs";

/** TCP counters of the kernel since boot, in this network namespace, netstat(8); 0 where it does not say. */
export interface ListenCounts {
  /** Connections that found an accept queue full. */
  readonly listenOverflows: number;
  /** Connections that a listening socket dropped, for that or any other reason. */
  readonly listenDrops: number;
}

export function listenCounts(read: () => string = readNetstat): ListenCounts {
  const [names, values] = read()
    .split("\n")
    .filter((line) => line.startsWith("TcpExt:"))
    .map((line) => line.split(" "));
  const count = (name: string): number => Number(values?.[names?.indexOf(name) ?? -1] ?? 0);
  return { listenOverflows: count("ListenOverflows"), listenDrops: count("ListenDrops") };
}

/** As a receipt tells it. Each overflow is among the drops, too (Linux, tcp_listendrop), and is one connection. */
export function kernelRefused(read: () => string = readNetstat): number {
  const { listenOverflows, listenDrops } = listenCounts(read);
  return Math.max(listenOverflows, listenDrops);
}

function readNetstat(): string {
  try {
    return readFileSync("/proc/net/netstat", "latin1");
  } catch (thrown) {
    // Not Linux, or /proc is not mounted: nothing is known, which a receipt shows as 0.
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return "";
    throw thrown;
  }
}
