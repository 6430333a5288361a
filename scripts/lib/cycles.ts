import type { Import } from "./imports.ts";

/**
 * Import cycles: the strongly connected components of more than one file, or of one that imports itself, by Tarjan's
 * algorithm ("Depth-first search and linear graph algorithms", 1972). Each is a sorted list of files.
 */
export function cycles(imports: readonly Import[]): readonly (readonly string[])[] {
  const targets = new Map<string, Set<string>>();
  for (const { file, target } of imports) {
    if (target !== null) targets.set(file, (targets.get(file) ?? new Set()).add(target));
  }
  const found: string[][] = [];
  const index = new Map<string, number>();
  const stack: string[] = [];

  function visit(file: string): number {
    const own = index.size;
    index.set(file, own);
    stack.push(file);
    let lowest = own;
    for (const next of targets.get(file) ?? []) {
      if (!index.has(next)) lowest = Math.min(lowest, visit(next));
      else if (stack.includes(next)) lowest = Math.min(lowest, index.get(next) ?? own);
    }
    if (lowest === own) {
      const component = stack.splice(stack.indexOf(file));
      if (component.length > 1 || targets.get(file)?.has(file) === true) found.push(component.toSorted());
    }
    return lowest;
  }

  for (const file of targets.keys()) if (!index.has(file)) visit(file);
  return found;
}
