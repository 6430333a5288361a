import { isAbsolute, resolve } from "node:path";

/** A value of teal.yaml in its parts: literal text and references. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "file"; readonly path: string };

const TOKEN = /\$\$\{|\$\{([^}]*)\}?/g;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The parts of a text, and what is wrong with its references. `$${` stands for a literal `${`. */
export function parseTemplate(template: string): {
  readonly parts: readonly Part[];
  readonly problems: readonly string[];
} {
  const parts: Part[] = [];
  const problems: string[] = [];
  let end = 0;
  for (const match of template.matchAll(TOKEN)) {
    if (match.index > end) parts.push({ kind: "text", text: template.slice(end, match.index) });
    end = match.index + match[0].length;
    const part = partOf(match[0]);
    if (typeof part === "string") problems.push(part);
    else parts.push(part);
  }
  if (end < template.length) parts.push({ kind: "text", text: template.slice(end) });
  return { parts, problems };
}

function partOf(token: string): Part | string {
  if (token === "$${") return { kind: "text", text: "${" };
  if (!token.endsWith("}")) return `has ${token.slice(0, 40)} without its closing }; for a literal \${ write $\${`;
  const [, kind = "", rest = ""] = /^\$\{(?:(env|file):)?(.*)\}$/s.exec(token) ?? [];
  if (kind === "env")
    return VARIABLE.test(rest) ? { kind, name: rest } : `has ${token}, which does not name an environment variable`;
  if (kind === "file")
    return rest.trim() === "" || rest.includes("\0")
      ? `has ${token}, which does not name a file`
      : { kind, path: rest };
  const meant = VARIABLE.test(rest) ? `; did you mean \${env:${rest}}?` : "";
  return `has ${token}: only \${env:X} and \${file:P} are substituted (for a literal \${ write $\${)${meant}`;
}

export function isLiteral(parts: readonly Part[]): boolean {
  return parts.every((part) => part.kind === "text");
}

/** Relative files made absolute, so that the template means the same wherever it is resolved. */
export function absoluteParts(parts: readonly Part[], directory: string): readonly Part[] {
  return parts.map((part) =>
    part.kind === "file" && !isAbsolute(part.path) ? { kind: "file", path: resolve(directory, part.path) } : part,
  );
}

/** The inverse of {@link parseTemplate}. */
export function formatTemplate(parts: readonly Part[]): string {
  return parts.map(formatPart).join("");
}

function formatPart(part: Part): string {
  if (part.kind === "text") return part.text.replaceAll("${", () => "$${");
  return `\${${part.kind}:${part.kind === "env" ? part.name : part.path}}`;
}
