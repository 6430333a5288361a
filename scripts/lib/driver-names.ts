import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import type { Violation } from "./layer-rules.ts";

/** Words that are a driver's name and also a word of the model's own. */
const OWN_WORDS: readonly string[] = [];

/** The model never knows a driver's name: no string in src/model is one. */
export function driverNameViolations(root: string): readonly Violation[] {
  const names = new Set(
    globSync("src/drivers/*/*/", { cwd: root })
      .map((folder) => basename(folder))
      .filter((name) => !OWN_WORDS.includes(name)),
  );
  return globSync("src/model/**/*.ts", { cwd: root })
    .filter((file) => !file.endsWith(".test.ts"))
    .toSorted()
    .flatMap((file) => stringsOf(root, file).filter(({ value }) => names.has(value)))
    .map(({ file, line, value }) => ({ file, line, message: `names the driver "${value}": the model knows none` }));
}

function stringsOf(root: string, file: string): readonly { file: string; line: number; value: string }[] {
  const source = readFileSync(join(root, file), "utf8");
  const strings: { file: string; line: number; value: string }[] = [];
  const { program } = parseSync(file, source);
  new Visitor({
    Literal: ({ value, start }) => {
      if (typeof value === "string") strings.push({ file, line: source.slice(0, start).split("\n").length, value });
    },
  }).visit(program);
  return strings;
}
