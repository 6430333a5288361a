import type { SecretReference } from "../model/service.ts";
import { Refusal, refuse, scalar, shown } from "./decode.ts";
import type { Loading } from "./loading.ts";
import { resolveParts, sha256 } from "./resolve.ts";
import { noteFile } from "./source-state.ts";
import { absoluteParts, formatTemplate, isLiteral, parseTemplate } from "./template.ts";

const META = { title: "text with references" };

/** Text in which `${env:X}` and `${file:P}` are substituted. `check` sees what it resolves to and must not repeat it. */
export function value(loading: Loading, check: (resolved: string) => string | null = () => null) {
  return scalar({ ...META, type: "string" }, (written) =>
    typeof written === "string" ? decode(written, loading, check) : refuse(`must be text, not ${shown(written)}`),
  );
}

/** A value of `env`. Numbers, true and false have been turned into their text as written; see document.ts. */
export function environmentValue(loading: Loading) {
  return scalar({ ...META, type: ["string", "number", "boolean"] }, (written) =>
    typeof written === "string" ? decode(written, loading, () => null) : refuse(`must be text, not ${shown(written)}`),
  );
}

function decode(
  written: string,
  loading: Loading,
  check: (resolved: string) => string | null,
): string | SecretReference | Refusal {
  const { parts: asWritten, problems } = parseTemplate(written);
  for (const part of asWritten) if (part.kind === "env") loading.references.add(part.name);
  if (problems.length > 0) return refuse(...problems);
  const parts = absoluteParts(asWritten, loading.directory);
  const template = formatTemplate(parts);
  if (parts.some((part) => part.kind === "file" && part.path.includes("}"))) {
    return refuse("names a file in a folder with } in its path, which a reference cannot hold");
  }
  const resolved = resolveParts(parts, loading.variables, (path, contents) => {
    noteFile(loading.sources, path, contents);
  });
  if (resolved.missing !== undefined) return new Refusal(resolved.missing, true);
  const problem = resolved.text.includes("\0") ? "contains a NUL character" : check(resolved.text);
  if (problem !== null) return refuse(problem);
  return isLiteral(parts) ? resolved.text : { template, hash: sha256(resolved.text) };
}

/** @returns what is wrong with the address of a webhook, or null */
export function webhookProblem(resolved: string): string | null {
  const url = URL.parse(resolved);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:")
    ? null
    : "is not an http:// or https:// address";
}

export function notEmpty(resolved: string): string | null {
  return resolved.trim() === "" ? "is empty" : null;
}
