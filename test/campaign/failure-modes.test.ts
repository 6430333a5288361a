import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FAULTS } from "./faults/index.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** The last column of docs/failure-modes.md. */
function shownBy(): string[] {
  const text = readFileSync(join(ROOT, "docs", "failure-modes.md"), "utf8");
  const cells = [...text.matchAll(/\| (`[^|]+`) \|$/gm)].flatMap(([, cell]) => (cell ?? "").split(", "));
  return cells.map((name) => name.replaceAll("`", ""));
}

test("every fault of the campaign has its row, and every row names a fault or a test that there is", () => {
  const names = FAULTS.map(({ name }) => name);
  const rows = shownBy();
  expect(names.filter((name) => !rows.includes(name))).toEqual([]);
  expect(rows.filter((row) => !names.includes(row) && !existsSync(join(ROOT, row)))).toEqual([]);
});
