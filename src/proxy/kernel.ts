import { openSync, readSync } from "node:fs";

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

const NETSTAT = "/proc/net/netstat";
/** Some 4 KiB; the kernel gives the whole text at once where there is room for it. */
const text = Buffer.allocUnsafeSlow(65_536);
/** Undefined: not opened yet; null: there is none. */
let descriptor: number | null | undefined;

/**
 * Kept open, as each switch reads it twice or more: the kernel then makes the text once, where a reading of its own makes it
 * twice, beside opening and closing.
 */
function readNetstat(): string {
  if (descriptor === undefined) descriptor = openNetstat();
  if (descriptor === null) return "";
  const length = readSync(descriptor, text, 0, text.length, 0);
  return text.toString("latin1", 0, length);
}

function openNetstat(): number | null {
  try {
    return openSync(NETSTAT, "r");
  } catch (thrown) {
    // Not Linux, or /proc is not mounted: nothing is known, which a receipt shows as 0.
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return null;
    throw thrown;
  }
}
