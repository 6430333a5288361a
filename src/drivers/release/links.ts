import { TealError } from "../../model/error.ts";

/** Linux's own bound on links followed in one path (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * Whether following `path` from the tree's root leaves the tree, links on the way followed as the kernel does. A loop
 * leads nowhere, so it is inside.
 */
export function leavesTree(path: string, links: ReadonlyMap<string, string>): boolean {
  const at: string[] = [];
  const rest = path.split("/").toReversed();
  let followed = 0;
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.pop() === undefined) return true;
      continue;
    }
    at.push(part);
    const target = links.get(at.join("/"));
    if (target === undefined) continue;
    if (target.startsWith("/")) return true;
    if (++followed > MOST_LINKS) return false;
    at.pop();
    rest.push(...target.split("/").toReversed());
  }
  return false;
}

/** @throws `release-source` for the first link that leads out of the tree; absolute targets always do. */
export function refuseEscapingLinks(
  what: string,
  links: ReadonlyMap<string, string>,
  paths: Iterable<string> = links.keys(),
): void {
  for (const path of paths) {
    if (!leavesTree(path, links)) continue;
    const target = links.get(path) ?? "";
    throw new TealError("release-source", `in ${what}, the link ${path} points to ${target}, outside of the release`, {
      remedy: "Replace the link by what it points to, or by a relative link within the release.",
    });
  }
}
