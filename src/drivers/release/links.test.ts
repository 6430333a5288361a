import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./fixtures.ts";
import { leavesTree } from "./links.ts";

describe("links of a release", () => {
  it.each([
    ["a", { a: "b" }, false],
    ["a/b", { "a/b": "../c" }, false],
    ["a/b", { "a/b": "../../c" }, true],
    ["a", { a: "/etc" }, true],
    ["s", { "p/q/r": "../..", s: "p/q/r/../.." }, true],
    ["a", { a: "b", b: "a" }, false],
    ["a", { a: "." }, false],
  ] as [string, Record<string, string>, boolean][])("%s of %j leaves: %s", (path, links, expected) => {
    expect(leavesTree(path, new Map(Object.entries(links)))).toBe(expected);
  });

  it("agrees with the kernel wherever that can resolve the link", () => {
    const part = fc.constantFrom("a", "b", "..", ".");
    const target = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
    const place = fc.constantFrom("l", "m", "a/l", "a/b/l", "b/m");
    fc.assert(
      fc.property(fc.dictionary(place, target, { minKeys: 1 }), (links) => {
        using folder = temporaryFolder();
        const root = join(folder.path, "x", "y", "root");
        for (const path of ["a/b/a", "b/a/b"]) mkdirSync(join(root, path), { recursive: true });
        for (const [path, to] of Object.entries(links)) symlinkSync(to, join(root, path));
        for (const path of Object.keys(links)) {
          const real = resolved(join(root, path));
          if (real === null) continue;
          const inside = real === realpathSync(root) || real.startsWith(`${realpathSync(root)}/`);
          // Ours also refuses what leaves and comes back; the names here cannot come back (root is not among them).
          expect({ links, path, leaves: leavesTree(path, new Map(Object.entries(links))) }).toEqual({
            links,
            path,
            leaves: !inside,
          });
        }
      }),
      { numRuns: 150 },
    );
  });
});

function resolved(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null; // Dangling or a loop.
  }
}
