import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LoadGenerator } from "../bench/lib/load-generator.ts";
import { expectWellFormed } from "../src/report/testing/well-formed.ts";
import { Site } from "./site.ts";

/** For who wants to look: files are kept where this says. */
const KEEP = process.env["TEAL_REPORTS"];

let site: Site;
let load: LoadGenerator;

beforeAll(async () => {
  site = await Site.up();
  expect((await site.deployed("v1")).state).toBe("completed");
  load = new LoadGenerator({ url: site.url, rate: 200, mostMs: 600_000 });
  load.start();
}, 120_000);

afterAll(async () => {
  await load.stop();
  await site[Symbol.asyncDispose]();
}, 120_000);

async function page(name: string, args: readonly string[]): Promise<{ html: string; markdown: string; svg: string }> {
  const [html, markdown, svg] = [`${name}.html`, `${name}.md`, `${name}.svg`].map((file) =>
    join(KEEP ?? site.dir, file),
  );
  expect(await site.cli("report", ...args, "--html", html ?? "", "--output", markdown ?? "")).toMatchObject({
    code: 0,
  });
  const id = args[0] ?? (await site.client.history("web", 1)).history[0]?.deployment ?? "";
  expect(await site.cli("simulate", "--deployment", id, "--svg", svg ?? "")).toMatchObject({ code: 0 });
  const [a = "", b = "", c = ""] = await Promise.all([html, markdown, svg].map((file) => readFile(file ?? "", "utf8")));
  return { html: a, markdown: b, svg: c };
}

test("a good deployment: its report has its traffic, its receipts and a checklist that is ticked", async () => {
  expect((await site.deployed("v2")).state).toBe("completed");
  const { html, markdown, svg } = await page("good", []);
  expectWellFormed(html);
  expectWellFormed(svg);
  expect(html.match(/<svg /g)).toHaveLength(2);
  expect(markdown).toContain("- [x] The traffic was switched to green");
  expect(markdown).toContain("No request was cut or refused, as counted by the proxy.");
  expect(markdown).toMatch(/\| green \| [\d,]+ \| 0 \| 0 % \|/);
  const json = JSON.parse((await site.cli("report", "--json")).stdout) as {
    incident: unknown;
    traffic: { requests: number }[];
  };
  expect(json.incident).toBeNull();
  expect(json.traffic[0]?.requests).toBeGreaterThan(50);
});

test("one that was taken back: what was seen, when, how fast the traffic was back, and what a replay makes of it", async () => {
  const bad = await site.deployed("v3");
  expect(bad.state).toBe("rolled-back");
  const { html, markdown } = await page("bad", [bad.id]);
  expectWellFormed(html);
  expect(markdown).toContain("## Incident");
  expect(markdown).toMatch(/\| giving it back took \| (?:\d+ ms|less than 1 ms) \|/);
  expect(markdown).toContain("- [ ] No spike of failures: no;");
  const replay = await site.cli("simulate", "--deployment", bad.id);
  expect(replay.stdout).toContain("What became of it: rolled-back");
  expect(replay.stdout).toContain("it would have been taken back after");
  const other = await site.cli("simulate", "--deployment", bad.id, "--failing", "1%");
  expect(other.code).toBe(2);
});

test("a deployment that is not there is refused", async () => {
  expect(await site.cli("report", "dep_none")).toMatchObject({ code: 2, stdout: "" });
  expect(await site.cli("simulate", "--deployment", "dep_none")).toMatchObject({ code: 2, stdout: "" });
});
