import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "../wire/launch.ts";
import { ownNode } from "../wire/node-binary.ts";
import type { KeeperParts } from "./parts.ts";

/** What this keeper runs from. */
export function ownProgram({ launch }: KeeperParts): Program {
  return { runtime: launch.runtime, node: ownNode() };
}

export function isSameProgram(a: Program, b: Program): boolean {
  return a.runtime === b.runtime && a.node === b.node;
}

/** `wanted` while its bundle of `name` is there; else the keeper's own, as somebody has removed the other. */
export function programWith(name: "server" | "proxy", wanted: Program, parts: KeeperParts): Program {
  if (existsSync(join(wanted.runtime, `${name}.mjs`))) return wanted;
  const own = ownProgram(parts);
  if (!isSameProgram(own, wanted)) parts.log(`${wanted.runtime} has no ${name}; going on with ${own.runtime}`);
  return own;
}
