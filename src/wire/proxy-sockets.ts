import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StatePaths } from "./paths.ts";

export interface ProxySocket {
  readonly pid: number;
  readonly path: string;
}

/** The control sockets of proxies; that of a proxy which was killed is there too. None where Teal has never run. */
export function proxySockets(paths: StatePaths): readonly ProxySocket[] {
  const folder = dirname(paths.proxySocket(0));
  return namesIn(folder).flatMap((name) => {
    const pid = /^proxy-([1-9]\d*)\.sock$/.exec(name)?.[1];
    return pid === undefined ? [] : [{ pid: Number(pid), path: join(folder, name) }];
  });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return [];
    throw thrown;
  }
}
