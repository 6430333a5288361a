import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FAULTS } from "./faults/index.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const DOCS = readFileSync(join(ROOT, "docs", "failure-modes.md"), "utf8");
const NAMES: readonly string[] = FAULTS.map(({ name }) => name);

/** What shows a row: a fault of the campaign or a test's file, with words of a title in it. */
interface Evidence {
  readonly name: string;
  readonly title: string | null;
}

/** Every row of every table, as its cells. */
function rowsOf(text: string): readonly (readonly string[])[] {
  const lines = text.split("\n").filter((line) => line.startsWith("|") && !/^\|[-| ]+\|$/.test(line));
  return lines
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    )
    .filter(([first]) => first !== "what fails");
}

/** `name`, `path`, `path`: "words of a title", … ; anything else in the cell is told as it stands. */
function evidenceOf(cell: string): { readonly found: readonly Evidence[]; readonly rest: string } {
  const pattern = /`([^`]+)`(?:: "([^"]+)")?/g;
  const found = [...cell.matchAll(pattern)].map(([, name = "", title = null]) => ({ name, title }));
  return { found, rest: cell.replaceAll(pattern, "").replaceAll(/[, ]/g, "") };
}

/** Null: all is there. */
function problemOf({ name, title }: Evidence): string | null {
  if (NAMES.includes(name)) return title === null ? null : `${name} is a fault, and has no titles`;
  if (!name.endsWith(".test.ts") || !existsSync(join(ROOT, name))) return `${name} is no fault and no test`;
  // A title stands beside what makes a test, or is the first of its arguments on a line of its own.
  const lines = readFileSync(join(ROOT, name), "utf8").split("\n");
  const titles = lines.filter((line) => /^\s*(?:(?:test|it|describe)\b|name: |["`])/.test(line));
  const isThere = title === null || titles.some((line) => line.includes(title));
  return isThere ? null : `${name} has no test called "${title}"`;
}

function problems(text: string): readonly string[] {
  return rowsOf(text).flatMap((cells) => {
    const { found, rest } = evidenceOf(cells.at(-1) ?? "");
    const shape =
      cells.length === 4 && found.length > 0 && rest === "" ? [] : [`not four cells with a test: ${cells.join(" | ")}`];
    return [...shape, ...found.flatMap((evidence) => problemOf(evidence) ?? [])];
  });
}

test("every row of the failure modes names faults and tests that there are, by titles that they have", () => {
  expect(rowsOf(DOCS).length).toBeGreaterThan(60);
  expect(problems(DOCS)).toEqual([]);
});

test("every fault of the campaign has its row", () => {
  const named = rowsOf(DOCS).flatMap((cells) => evidenceOf(cells.at(-1) ?? "").found.map(({ name }) => name));
  expect(NAMES.filter((name) => !named.includes(name))).toEqual([]);
});

test("a row that names what is not there is found, wherever in its cell that stands", () => {
  const rowWith = (cell: string): string => `| a | b | c | ${cell} |`;
  expect(problems(rowWith('`kill`, `test/frozen.integration.test.ts`: "neither environment is healthy"'))).toEqual([]);
  expect(problems(rowWith("`kill`, `no-fault`"))).toEqual(["no-fault is no fault and no test"]);
  expect(problems(rowWith("`test/none.integration.test.ts`, `kill`"))).toEqual([
    "test/none.integration.test.ts is no fault and no test",
  ]);
  expect(problems(rowWith('`test/frozen.integration.test.ts`: "thaws"'))).toEqual([
    'test/frozen.integration.test.ts has no test called "thaws"',
  ]);
  expect(problems(rowWith("nothing"))).toHaveLength(1);
});
