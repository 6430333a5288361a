import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseSync } from "oxc-parser";

/** One import, re-export or `import()` of a module by another; type-only ones count. */
export interface Import {
  /** Path of the file, from the root. */
  readonly file: string;
  readonly line: number;
  /** As written: `./x.ts`, `node:fs`, `zod`. */
  readonly specifier: string;
  /** Path of the file that a relative specifier names, from the root; null for packages and Node's own modules. */
  readonly target: string | null;
}

/** @throws Error for a file that does not parse. */
export function importsOf(root: string, file: string): readonly Import[] {
  const source = readFileSync(join(root, file), "utf8");
  const parsed = parseSync(file, source);
  const [problem] = parsed.errors;
  if (problem !== undefined) throw new Error(`${file}: ${problem.message}`);
  const { staticImports, staticExports, dynamicImports } = parsed.module;
  const requests = [
    ...staticImports.map(({ moduleRequest }) => ({ at: moduleRequest.start, specifier: moduleRequest.value })),
    ...staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) =>
        moduleRequest === null ? [] : [{ at: moduleRequest.start, specifier: moduleRequest.value }],
      ),
    ),
    ...dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
      const text = /^["'`](.+)["'`]$/.exec(source.slice(start, end))?.[1];
      return text === undefined ? [] : [{ at: start, specifier: text }];
    }),
  ];
  return requests.map(({ at, specifier }) => ({
    file,
    line: source.slice(0, at).split("\n").length,
    specifier,
    target: specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : null,
  }));
}

/** All imports of all TypeScript files below `root`/src. */
export function allImports(root: string): readonly Import[] {
  return globSync("src/**/*.ts", { cwd: root })
    .toSorted()
    .flatMap((file) => importsOf(root, file));
}
