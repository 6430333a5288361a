import { ANSWERS, type Block, sectionsOf } from "./document.ts";
import { element, escaped } from "./markup.ts";
import type { Figure } from "./plot/figure.ts";
import { svgOf } from "./plot/svg.ts";
import type { Report } from "./report.ts";

/** Of the two pictures one is shown, by the width of the window: letters keep their size. */
const WIDE = 860;
const NARROW = 380;

const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--faint:#57606a;--line:#d8dee4;--soft:#f6f8fa;--yes:#12743b;--no:#c4261d}
@media (prefers-color-scheme:dark){:root{--bg:#14181d;--fg:#e6edf3;--faint:#9aa4af;--line:#30363d;--soft:#1b2129;--yes:#4ac26b;--no:#ff7b72}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:${String(WIDE + 32)}px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:24px;line-height:1.25;margin:0 0 8px;overflow-wrap:anywhere}h2{font-size:18px;margin:36px 0 8px;padding-top:8px;border-top:1px solid var(--line)}
p{margin:8px 0;overflow-wrap:anywhere}.wrap{overflow-x:auto;margin:8px 0}table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:5px 12px 5px 0;border-bottom:1px solid var(--line)}th{color:var(--faint);font-weight:500}td{min-width:3.5em}.facts td{overflow-wrap:anywhere}.time{white-space:nowrap}
.facts th{white-space:nowrap;width:1%;padding-right:24px}.num{text-align:right}
ul.checks{list-style:none;padding:0;margin:8px 0}ul.checks li{display:grid;grid-template-columns:6em 1fr;gap:0 8px;padding:6px 0;border-bottom:1px solid var(--line)}
.answer{font-weight:600;color:var(--faint)}.answer.yes{color:var(--yes)}.answer.no{color:var(--no)}.detail{color:var(--faint);grid-column:2;overflow-wrap:anywhere}
.state{display:inline-block;padding:1px 10px;border:1px solid currentColor;border-radius:999px;font-size:14px;color:var(--faint)}.state.completed{color:var(--yes)}.state.bad{color:var(--no)}
figure{margin:16px 0}figure svg{display:block}figcaption{color:var(--faint);font-size:14px}.narrow{display:none}
@media (max-width:640px){.wrap .many{min-width:600px}.wide{display:none}.narrow{display:block}}
@media print{:root{--bg:#fff;--fg:#000;--faint:#444;--line:#bbb;--soft:#fff;--yes:#12743b;--no:#c4261d}body{font-size:11pt}main{max-width:none;padding:0}h2{break-after:avoid}tr,li,figure{break-inside:avoid}.wide{display:block}.narrow{display:none}.wrap{overflow:visible}.wrap .many{min-width:0}}
`.replaceAll("\n", "");

/** One page that needs nothing beside it: no script, nothing to be fetched. Null: there is no traffic to draw. */
export function htmlOf(report: Report, figure: Figure | null): string {
  const { id, service, state } = report.deployment;
  const title = `Deployment ${id} of ${service}`;
  const tone = state === "completed" ? "completed" : BAD.has(state) ? "bad" : "";
  const pictures = figure === null ? "" : picturesOf(figure);
  const sections = sectionsOf(report).map(({ title: heading, blocks }) =>
    element("section", {}, element("h2", {}, escaped(heading)), ...blocks.map((block) => blockOf(block, pictures))),
  );
  return `<!doctype html>\n${element(
    "html",
    { lang: "en" },
    element(
      "head",
      {},
      element("meta", { charset: "utf-8" }),
      element("meta", { "http-equiv": "Content-Security-Policy", content: CONTENT_POLICY }),
      element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
      element("title", {}, escaped(title)),
      element("style", {}, STYLE),
    ),
    element(
      "body",
      {},
      element(
        "main",
        {},
        element("h1", {}, escaped(title)),
        element("p", {}, element("span", { class: `state ${tone}` }, escaped(state))),
        ...sections,
      ),
    ),
  )}\n`;
}

/** Only its own style is heeded; no script, whatever a name or reason holds. */
export const CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const BAD: ReadonlySet<string> = new Set(["rolled-back", "aborted", "failed", "rolling-back", "frozen"]);

function picturesOf(figure: Figure): string {
  return element(
    "figure",
    {},
    element("div", { class: "wide" }, svgOf(figure, WIDE)),
    element("div", { class: "narrow" }, svgOf(figure, NARROW)),
    ...(figure.notes === undefined || figure.notes.length === 0
      ? []
      : [element("figcaption", {}, ...figure.notes.map((note) => element("p", {}, escaped(note))))]),
  );
}

function blockOf(block: Block, pictures: string): string {
  switch (block.kind) {
    case "text":
      return element("p", {}, escaped(block.text));
    case "facts":
      return table(
        "facts",
        [],
        block.facts.map(([name, value]) => element("th", { scope: "row" }, escaped(name)) + cell(value)),
      );
    case "table":
      return table(
        block.head.length > MOST_NARROW ? "many" : "",
        block.head,
        block.rows.map((row) => row.map(cell).join("")),
      );
    case "checks":
      return element("ul", { class: "checks" }, ...block.checks.map(checkOf));
    case "pictures":
      break;
  }
  return pictures;
}

/** A table of more columns is scrolled on a narrow screen. */
const MOST_NARROW = 4;
const TIME = /^\d\d:\d\d:\d\d\.\d{3}$/;

function checkOf({ question, answer, detail }: Extract<Block, { kind: "checks" }>["checks"][number]): string {
  const word = answer === "not-asked" ? "not asked" : answer === "unknown" ? "unknown" : ANSWERS[answer];
  return element(
    "li",
    {},
    element("span", { class: `answer ${answer}` }, word),
    element("span", {}, escaped(question)),
    element("span", { class: "detail" }, escaped(detail)),
  );
}

function table(kind: string, head: readonly string[], rows: readonly string[]): string {
  const heading =
    head.length === 0
      ? []
      : [
          element(
            "thead",
            {},
            element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, escaped(name)))),
          ),
        ];
  const body = element("tbody", {}, ...rows.map((row) => element("tr", {}, row)), "");
  return element("div", { class: "wrap" }, element("table", { class: kind }, ...heading, body));
}

function cell(text: string): string {
  return element("td", TIME.test(text) ? { class: "time" } : {}, escaped(text));
}
