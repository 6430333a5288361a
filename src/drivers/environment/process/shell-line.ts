const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/;
const OPERATOR = /&&|\|\||[;|&\n]/y;
/** What has no operators in it: escapes, quoted text, substitutions, comments, and redirections such as `2>&1` and `>|`. */
const OPAQUE =
  /\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*"|`(?:\\[\s\S]|[^`\\])*`|\$\{[^}]*\}|\$\((?:[^()]|\([^()]*\))*\)|[<>]+[&|]|(?<=\s)#.*/y;

/**
 * Why a command given as one text does not do what it seems to, or null. It runs as `exec …` in a shell: nothing after an
 * operator belongs to it, and an assignment in front is taken for the program.
 */
export function shellLineProblem(command: string | readonly string[]): string | null {
  if (typeof command !== "string") return null;
  const line = command.trim();
  const [assignment] = ASSIGNMENT.exec(line) ?? [];
  if (assignment !== undefined) {
    const name = assignment.slice(0, -1);
    return `environment.command runs as \`exec …\` in a shell, which takes ${assignment}… for the program: write \`env ${assignment}… program\`, or put ${name} into environment.env`;
  }
  const operator = firstOperator(line);
  if (operator === null) return null;
  const shown = operator === "\n" ? "the line break" : `\`${operator}\``;
  return `environment.command runs as \`exec …\` in a shell, so ${shown} does not do what it seems to: write ["sh", "-c", "…"] with the whole line as its last item`;
}

/** The first operator outside of quotes. */
function firstOperator(line: string): string | null {
  for (let at = 0; at < line.length;) {
    OPAQUE.lastIndex = at;
    OPERATOR.lastIndex = at;
    const opaque = OPAQUE.exec(line)?.[0].length ?? 0;
    const operator = OPERATOR.exec(line)?.[0];
    if (opaque === 0 && operator !== undefined) return operator;
    at += Math.max(opaque, 1);
  }
  return null;
}
