import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { TealError, toTealError } from "../model/error.ts";
import type { StatePaths } from "./paths.ts";

export interface ProxySocket {
  readonly pid: number;
  readonly path: string;
}

/**
 * The control sockets of proxies; that of a proxy which was killed is there too. None where Teal has never run.
 * @throws `forbidden` where the folder is another user's, `state-directory` where it cannot be read
 */
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
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : null;
    if (code === "ENOENT") return [];
    if (code === "EACCES" || code === "EPERM")
      throw new TealError("forbidden", `${folder} may not be read by this user`, {
        cause,
        remedy: "Run it as the user that Teal runs as, or as root.",
      });
    throw new TealError("state-directory", `${folder} cannot be read: ${toTealError(cause).message}`, { cause });
  }
}
