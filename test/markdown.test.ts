import { describe, expect, it } from "vitest";
import { anchorsOf, blocksOf, linksOf, tealCommandsOf } from "./markdown.ts";

const PAGE = [
  "# What's new: `teal up`",
  "See [`teal up`](cli.md#teal-up), [that](#a-b), ![a picture](x.svg); not `[this](code)`. `teal dance --fast` it.",
  "## A b",
  "## A b",
  "```sh",
  "[no](link) # not a heading",
  "npm ci && teal plan deploy # teal never runs",
  "npm run -s teal -- status | teal jq",
  "```",
  "```yaml",
  "version: 1",
  "```",
].join("\n");

describe("reading Markdown", () => {
  it("finds links outside code", () => {
    expect(linksOf(PAGE)).toEqual(["cli.md#teal-up", "#a-b", "x.svg"]);
  });

  it("names headings as GitHub does", () => {
    expect([...anchorsOf(PAGE)]).toEqual(["whats-new-teal-up", "a-b", "a-b-1"]);
  });

  it("finds blocks by language", () => {
    expect(blocksOf(PAGE, "yaml")).toEqual(["version: 1\n"]);
  });

  it("finds commands in shell blocks and in code within text, and no comments", () => {
    expect(tealCommandsOf(PAGE)).toEqual([["plan", "deploy"], ["status"], ["jq"], ["up"], ["up"], ["dance", "--fast"]]);
  });
});
