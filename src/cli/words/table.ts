import { stripVTControlCharacters } from "node:util";

/** Columns that text takes on the screen; colours take none. */
export function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - width(text)));
}

/** Cuts text to at most `columns`, with an ellipsis. Text that is cut loses its colours, as half a colour code would leak. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  return `${stripVTControlCharacters(text).slice(0, Math.max(0, columns - 1))}…`;
}

/** Rows with their columns aligned, two blanks between; nothing trails. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, index) =>
    Math.max(0, ...rows.map((row) => width(row[index] ?? ""))),
  );
  return rows.map((row) =>
    row
      .map((cell, index) => padEnd(cell, widths[index] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** Breaks text between words into lines of at most `columns`, the first after `lead`, the others after `indent`. */
export function wrap(text: string, columns: number, lead: string, indent: string): string[] {
  const lines: string[] = [];
  let line = lead;
  let words = 0;
  for (const word of text.split(" ")) {
    if (words > 0 && width(line) + 1 + width(word) > columns) {
      lines.push(line);
      line = indent;
      words = 0;
    }
    line += words === 0 ? word : ` ${word}`;
    words += 1;
  }
  return [...lines, line];
}
