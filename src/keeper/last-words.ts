/** Lines looked back at. A stack and the banner after it are shorter. */
export const LAST_LINES = 40;

/** `TypeError: x`, `Uncaught Error: x`, `builtins.ValueError: x`, `java.lang.NullPointerException`, `panic: x`, `fatal: x`. */
const NAMED = /^(?:uncaught |unhandled )?(?:[\w$.]*(?:error|exception)\b|panic|fatal)/i;

/** What tells nothing by itself: Node's banner, stack frames, and lines with punctuation alone (a closing brace, a caret). */
const NOISE = [/^Node\.js v\d/, /^\s+at /, /^[^\p{Letter}\p{Number}]*$/u];

/**
 * The line of an ended app that says most about why, from its last ones (oldest first): the last that begins with the name
 * of an error; else the last that speaks of one; else the last that is more than noise. A traceback of Python ends with
 * its error, so there it is the last line. Null when nothing was said.
 */
export function lastWords(lines: readonly string[]): string | null {
  const said = lines.map((line) => line.trimEnd()).filter((line) => line !== "");
  const telling = said.filter((line) => NOISE.every((noise) => !noise.test(line)));
  const words =
    telling.findLast((line) => NAMED.test(line)) ??
    telling.findLast((line) => /error/i.test(line)) ??
    telling.at(-1) ??
    said.at(-1);
  return words?.trim() ?? null;
}
