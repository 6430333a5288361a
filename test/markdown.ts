/** As much of Markdown as our own pages use. */

const FENCE = /^```(\w*)\n(.*?)^```$/gms;

/** Contents of the fenced blocks in one language. */
export function blocksOf(text: string, language: string): readonly string[] {
  return [...text.matchAll(FENCE)].flatMap(([, name, content = ""]) => (name === language ? [content] : []));
}

/** Targets of links and pictures, outside code. */
export function linksOf(text: string): readonly string[] {
  const prose = text.replaceAll(FENCE, "").replaceAll(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** What a link may name after `#`: GitHub's anchors of the headings. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.replaceAll(FENCE, "").matchAll(/^#{1,6} (.*)$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n += 1) unique = `${anchor}-${String(n)}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Each use of the command line, in shell blocks and in code within text, as the words after `teal`. */
export function tealCommandsOf(text: string): readonly (readonly string[])[] {
  const lines = blocksOf(text, "sh").flatMap((block) => block.split("\n"));
  const spans = [...text.replaceAll(FENCE, "").matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
  return [...lines, ...spans].flatMap((line) =>
    line
      .replace(/(?:^|\s)#.*$/, "")
      .split(/&&|\||;/)
      .map((command) => /^(?:teal|npm run -s teal --) ([a-z].*)$/.exec(command.trim())?.[1])
      .flatMap((words) => (words === undefined ? [] : [words.trim().split(/\s+/)])),
  );
}
