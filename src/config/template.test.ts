import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { absoluteParts, formatTemplate, isLiteral, parseTemplate } from "./template.ts";

describe("parseTemplate", () => {
  it.each([
    ["", []],
    ["plain $HOME $$ {x}", [{ kind: "text", text: "plain $HOME $$ {x}" }]],
    [
      "a${env:B}c",
      [
        { kind: "text", text: "a" },
        { kind: "env", name: "B" },
        { kind: "text", text: "c" },
      ],
    ],
    [
      "${file:./a b.txt}${env:_1}",
      [
        { kind: "file", path: "./a b.txt" },
        { kind: "env", name: "_1" },
      ],
    ],
    [
      "$${env:B}",
      [
        { kind: "text", text: "${" },
        { kind: "text", text: "env:B}" },
      ],
    ],
  ])("%j", (template, parts) => {
    expect(parseTemplate(template)).toEqual({ parts, problems: [] });
  });

  it("names every broken reference", () => {
    const { problems } = parseTemplate("${env:} ${file: } ${x:y} ${Z} ${env:A.B} ${open");
    expect(problems).toHaveLength(6);
    expect(problems[3]).toContain("did you mean ${env:Z}?");
  });

  it("is undone by formatTemplate: the text means the same when it is read again", () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom("$", "$$", "{", "${", "$${", "}", "${env:A}", "${file:b}"));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const { parts, problems } = parseTemplate(pieces.join(""));
        fc.pre(problems.length === 0);
        const again = parseTemplate(formatTemplate(parts));
        expect(again.problems).toEqual([]);
        expect(merged(again.parts)).toEqual(merged(parts));
        expect(isLiteral(again.parts)).toBe(isLiteral(parts));
      }),
    );
  });

  it("makes relative files absolute, and leaves absolute ones", () => {
    const { parts } = parseTemplate("${file:../x} ${file:/y} ${env:A}");
    expect(formatTemplate(absoluteParts(parts, "/a/b"))).toBe("${file:/a/x} ${file:/y} ${env:A}");
  });
});

function merged(parts: ReturnType<typeof parseTemplate>["parts"]): string[] {
  const texts: string[] = [];
  let literal = "";
  for (const part of parts) {
    if (part.kind === "text") {
      literal += part.text;
      continue;
    }
    texts.push(literal, JSON.stringify(part));
    literal = "";
  }
  return [...texts, literal];
}
