import { type Document as YamlDocument, LineCounter, parseDocument, visit, isPair, isSeq, type Node } from "yaml";
import type { Problem } from "../model/error.ts";
import { keyText, locate, type Path, pathText } from "./locate.ts";

/** Aliases that one file may expand to; far more than any real file has, far fewer than a bomb needs. */
const MOST_ALIASES = 2000;

export interface Place {
  /** Characters from the beginning of the file. */
  readonly offset: number;
  /** 1-based. */
  readonly line: number;
}

/** A YAML file as plain data that knows where each value stood. */
export interface ConfigDocument {
  /** Maps, lists and scalars; undefined when `problems` leave nothing to read. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Where a value stands, or the nearest thing around it that is there; null in a file that cannot be read. */
  place(path: Path): Place | null;
  /** A plain or quoted scalar as it was written: `1.10`, and not 1.1. */
  source(path: Path): string | null;
}

/** Parses YAML 1.2 (with `<<` merges). Never throws: what cannot be read is a problem. */
export function parseYaml(text: string): ConfigDocument {
  const counter = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: counter, merge: true, prettyErrors: false, stringKeys: true });
    return read(document, counter);
  } catch (thrown) {
    return unreadable(thrown);
  }
}

function read(document: YamlDocument.Parsed, counter: LineCounter): ConfigDocument {
  const problems = [...document.errors, ...document.warnings].map((error): Problem => {
    const duplicate = error.code === "DUPLICATE_KEY" ? pathAt(document, error.pos[0]) : null;
    const message = duplicate === null ? wording(error.code, error.message) : "is there twice";
    return { path: duplicate ?? "", line: counter.linePos(error.pos[0]).line, message };
  });
  // A key that is there twice leaves the rest readable; after any other error the rest is guesswork.
  const readable = document.errors.every((error) => error.code === "DUPLICATE_KEY");
  const lost = lostAliases(document, counter);
  problems.push(...lost);
  return {
    value: readable && lost.length === 0 ? document.toJS({ maxAliasCount: MOST_ALIASES }) : undefined,
    problems,
    place(path) {
      const { offset } = locate(document, path);
      return offset === null ? null : { offset, line: counter.linePos(offset).line };
    },
    source: (path) => locate(document, path).source,
  };
}

function unreadable(thrown: unknown): ConfigDocument {
  const reason =
    thrown instanceof RangeError ? "is nested too deeply" : thrown instanceof Error ? thrown.message : String(thrown);
  const problems = [{ path: "", line: null, message: `cannot be read as YAML: ${reason}` }];
  return { value: undefined, problems, place: () => null, source: () => null };
}

function wording(code: string, message: string): string {
  if (code === "MULTIPLE_DOCS") return "the file has more than one YAML document (---)";
  if (code === "TAB_AS_INDENT") return "YAML is indented by spaces, not by tabs";
  return `is not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

/** Aliases without an anchor before them: the library would stop at the first. */
function lostAliases(document: YamlDocument.Parsed, counter: LineCounter): readonly Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const line = alias.range ? counter.linePos(alias.range[0]).line : null;
      problems.push({
        path: "",
        line,
        message: `has the alias *${alias.source}, but no anchor &${alias.source} before it`,
      });
    },
  });
  return problems;
}

/** Path of the pair whose key stands at an offset. */
function pathAt(document: YamlDocument.Parsed, offset: number): string | null {
  let found: string | null = null;
  visit(document, {
    Pair(_, pair, ancestors) {
      const start = (pair.key as Node | null)?.range?.[0];
      if (start !== offset) return undefined;
      found = pathText([...ancestors, pair].flatMap((node, index, all) => stepOf(node, all[index + 1])));
      return visit.BREAK;
    },
  });
  return found;
}

function stepOf(node: unknown, child: unknown): (string | number)[] {
  if (isPair(node)) return [keyText(node)];
  return isSeq(node) ? [node.items.indexOf(child)] : [];
}
