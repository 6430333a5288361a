import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
} from "yaml";

export type Path = readonly (string | number)[];

/** As people write it: `services.web.deploy.shift[1].weight`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${String(step)}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

interface Located {
  /** Where it begins in the text; null when nothing of the path is there. */
  readonly offset: number | null;
  /** Its text as written, when it is a scalar. */
  readonly source: string | null;
}

/** Follows a path through maps, lists, aliases and merges; stops at what is there of it. */
export function locate(document: Document, path: Path): Located {
  let node = dereferenced(document, document.contents);
  let offset = start(node);
  for (const step of path) {
    const next = child(document, node, step);
    if (next === null) return { offset, source: null };
    node = next.node;
    offset = seenAt(next) ?? offset;
  }
  return { offset, source: isScalar(node) ? (node.source ?? null) : null };
}

interface Child {
  /** Null in a list. */
  readonly key: unknown;
  readonly node: Node | null;
}

function child(document: Document, parent: Node | null, step: string | number): Child | null {
  if (isMap(parent)) {
    const pair = pairOf(document, parent, String(step));
    return pair === null ? null : { key: pair.key, node: dereferenced(document, pair.value) };
  }
  const item = isSeq(parent) ? parent.items[Number(step)] : undefined;
  return item === undefined ? null : { key: null, node: dereferenced(document, item) };
}

/** What is wrong with a map, or with nothing at all, is seen at its key; with a scalar, at itself. */
function seenAt({ key, node }: Child): number | null {
  const isText = isScalar(node) && node.value !== null;
  return isText ? start(node) : (start(key) ?? start(node));
}

function start(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

export function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function pairOf(document: Document, map: YAMLMap, key: string, depth = 0): Pair | null {
  const own = map.items.find((pair) => keyText(pair) === key);
  if (own !== undefined || depth > 20) return own ?? null;
  for (const merge of map.items.filter((pair) => keyText(pair) === "<<")) {
    const merged = dereferenced(document, merge.value);
    for (const source of isSeq(merged) ? merged.items : [merged]) {
      const target = dereferenced(document, source);
      const found = isMap(target) ? pairOf(document, target, key, depth + 1) : null;
      if (found !== null) return found;
    }
  }
  return null;
}

function dereferenced(document: Document, node: unknown): Node | null {
  if (isAlias(node)) return node.resolve(document) ?? null;
  return isScalar(node) || isCollection(node) ? node : null;
}
