import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { COMMON_OPTIONS } from "../src/cli/verb.ts";
import { allVerbs, verbOf } from "../src/cli/verbs.ts";
import { loadConfig } from "../src/config/load.ts";
import { DRIVER_NAMES } from "../src/drivers/names.ts";
import { EVENT_TYPES } from "../src/model/event.ts";
import { anchorsOf, blocksOf, linksOf, tealCommandsOf } from "./markdown.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PAGES = globSync(["*.md", "docs/**/*.md", "examples/*/README.md"], { cwd: ROOT }).toSorted();

const textOf = (page: string): string => readFileSync(join(ROOT, page), "utf8");

/** What is wrong with a link of a page, or null. */
function linkProblem(page: string, link: string): string | null {
  if (/^[a-z]+:/.test(link)) return null;
  const [path = "", anchor] = link.split("#");
  const file = path === "" ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
  if (!existsSync(file)) return `${page}: ${link}: there is no such file`;
  if (anchor === undefined) return null;
  const target = file.endsWith("/") ? join(file, "README.md") : file;
  return anchorsOf(textOf(relative(ROOT, target))).has(anchor) ? null : `${page}: ${link}: there is no such heading`;
}

/** Writes a teal.yaml, with what it names beside it, and reads it as Teal does. */
async function load(yaml: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "teal-docs-"));
  try {
    for (const [, name = ""] of yaml.matchAll(/\b(?:dir|tarball|git|path): (\.?[./\w-]*\w|\.)/g)) {
      if (!name.startsWith("/")) await mkdir(join(folder, name), { recursive: true });
    }
    await mkdir(join(folder, ".git"));
    for (const [name] of yaml.matchAll(/\.\/[\w.-]+/g)) {
      if (!existsSync(join(folder, name)))
        await writeFile(join(folder, name), name.endsWith(".url") ? "https://hooks.example/x\n" : "A=1\n");
    }
    await writeFile(join(folder, "teal.yaml"), yaml);
    await loadConfig(join(folder, "teal.yaml"), {
      ...DRIVER_NAMES,
      variables: { DB_URL: "postgres://x", METRICS_TOKEN: "t" },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("the documentation", () => {
  it("has its pages", () => {
    expect(PAGES).toEqual(
      expect.arrayContaining(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/README.md", "docs/concepts.md"]),
    );
  });

  it.each(PAGES)("%s links to files and headings that are there", (page) => {
    const problems = linksOf(textOf(page)).map((link) => linkProblem(page, link));
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
  });

  it.each(PAGES)("%s calls verbs that there are, with options that they take", async (page) => {
    const verbs = await allVerbs();
    const problems = tealCommandsOf(textOf(page)).flatMap((words) => {
      const name = verbOf(words);
      const verb = verbs.find((candidate) => candidate.name === name);
      if (verb === undefined) return [`teal ${words.join(" ")}: no such verb`];
      const known = [...verb.options, ...COMMON_OPTIONS].flatMap(({ flags }) => flags.split(/[ ,]+/));
      return words
        .filter((word) => /^--?[a-z]/.test(word) && word !== "--help" && !known.includes(word))
        .map((option) => `teal ${words.join(" ")}: no option ${option}`);
    });
    expect(problems).toEqual([]);
  });

  it("shows files that load", async () => {
    const files = PAGES.flatMap((page) =>
      blocksOf(textOf(page), "yaml").flatMap((text) => (text.startsWith("version: 1") ? [{ page, text }] : [])),
    );
    expect(files.map(({ page }) => page)).toEqual(
      expect.arrayContaining(["README.md", "docs/configuration.md", "docs/health-and-validation.md"]),
    );
    for (const { page, text } of files) await expect(load(text), `a teal.yaml of ${page}`).resolves.toBeUndefined();
  });

  it("tells of every event", () => {
    const page = textOf("docs/events.md");
    expect(EVENT_TYPES.filter((type) => !page.includes(`| \`${type}\` |`))).toEqual([]);
  });

  it("has an index of its pages", () => {
    const linked = linksOf(textOf("docs/README.md"));
    const pages = PAGES.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
    expect(pages.filter((page) => !linked.includes(page.slice("docs/".length)))).toEqual([]);
  });

  it("keeps the architecture within 150 lines", () => {
    expect(textOf("ARCHITECTURE.md").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
  });
});
