/** Elements of HTML that have no end. */
const VOID: ReadonlySet<string> = new Set(["br", "meta", "hr", "link"]);

/** Throws where tags do not match, an attribute is not quoted, or text has a bare `<` or `&`. */
export function expectWellFormed(markup: string): void {
  const open: string[] = [];
  let at = 0;
  for (const match of markup.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    checkText(markup.slice(at, match.index), open.at(-1));
    at = match.index + match[0].length;
    const [, end = "", name = "", attributes = "", closed = ""] = match;
    checkText(attributes, null);
    if (end === "/") {
      const expected = open.pop();
      if (expected !== name) throw new Error(`</${name}> ends <${expected ?? "nothing"}>`);
    } else if (closed === "" && !VOID.has(name)) open.push(name);
  }
  checkText(markup.slice(at), open.at(-1));
  if (open.length > 0) throw new Error(`not ended: ${open.join(", ")}`);
}

function checkText(text: string, within: string | null | undefined): void {
  if (within === "style" || /^<!doctype html>\s*$/i.test(text)) return;
  if (/[<>]/.test(text)) throw new Error(`a bare < or > in ${JSON.stringify(text.slice(0, 80))}`);
  if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(text)) throw new Error(`a bare & in ${JSON.stringify(text.slice(0, 80))}`);
  // oxlint-disable-next-line no-control-regex -- these are what must not be there
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u.test(text))
    throw new Error("a character that markup may not have");
}
