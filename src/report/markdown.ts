import { ANSWERS, type Block, sectionsOf } from "./document.ts";
import type { Report } from "./report.ts";

/** The report as CommonMark with tables (GitHub Flavored Markdown). Nothing that people have typed is markup in it. */
export function markdownOf(report: Report): string {
  const { id, service } = report.deployment;
  const parts = sectionsOf(report).flatMap(({ title, blocks }) => [`## ${title}`, ...blocks.flatMap(block)]);
  return `${[`# Deployment ${plain(id)} of ${plain(service)}`, ...parts].join("\n\n")}\n`;
}

function block(given: Block): string[] {
  switch (given.kind) {
    case "text":
      return [plain(given.text)];
    case "facts":
      return [table(["", ""], given.facts)];
    case "table":
      return [table(given.head, given.rows)];
    case "checks":
      return [
        given.checks
          .map(
            ({ question, answer, detail }) =>
              `- [${answer === "yes" ? "x" : " "}] ${plain(question)}: ${answer === "yes" || answer === "unknown" ? "" : `${ANSWERS[answer] === "no" ? "no" : "not asked for"}; `}${plain(detail)}`,
          )
          .join("\n"),
      ];
    case "pictures":
      break;
  }
  return [];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(plain).join(" | ")} |`;
  return [line(head), `|${head.map(() => " --- |").join("")}`, ...rows.map(line)].join("\n");
}

/** ASCII punctuation that means something may stand behind a backslash (CommonMark 0.31, section 2.4). */
function plain(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .replaceAll(/[\\`*_{}[\]<>#|~&!]/g, (character) => `\\${character}`)
    .replaceAll(/(https?):\/\//gi, "$1:\\/\\/");
}
