import type { Receipt } from "../model/traffic.ts";
import type { Check } from "./checklist.ts";
import { splitText } from "./data.ts";
import type { Incident } from "./incident.ts";
import type { Report } from "./report.ts";
import { count, duration, many, percent, timestamp } from "./words.ts";

/** A part of a report, for any kind of page. */
export type Block =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "facts"; readonly facts: readonly (readonly [name: string, value: string])[] }
  | { readonly kind: "table"; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: "checks"; readonly checks: readonly Check[] }
  /** Where the pictures go, if the page has any. */
  | { readonly kind: "pictures" };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** What a page says, in its order. */
export function sectionsOf(report: Report): readonly Section[] {
  const { checklist, incident, receipts, timeline } = report;
  return [
    { title: "What, who and why", blocks: [{ kind: "text", text: report.headline }, about(report)] },
    ...(incident === null ? [] : [{ title: "Incident", blocks: [incidentFacts(incident)] }]),
    { title: "Traffic", blocks: [...traffic(report), { kind: "pictures" }] },
    { title: "Steps", blocks: [stepTable(report)] },
    { title: "Receipts", blocks: receiptBlocks(receipts) },
    { title: "Checklist: before", blocks: [{ kind: "checks", checks: checklist.before }] },
    { title: "Checklist: during", blocks: [{ kind: "checks", checks: checklist.during }] },
    { title: "Checklist: after", blocks: [{ kind: "checks", checks: checklist.after }] },
    {
      title: "Timeline",
      blocks:
        timeline.length === 0
          ? [{ kind: "text", text: "Its events are not kept any more." }]
          : [
              {
                kind: "table",
                head: ["time (UTC)", "step", "what happened"],
                rows: timeline.map(({ at, step, text }) => [clock(at), step ?? "", text]),
              },
            ],
    },
  ];
}

function about({ deployment }: Report): Block {
  const { id, service, goal, state, version, release, from, to, by, reason, createdAt, startedAt, endedAt } =
    deployment;
  const took = startedAt === null || endedAt === null ? "" : `, ${duration(endedAt - startedAt)}`;
  return {
    kind: "facts",
    facts: [
      ["deployment", id],
      ["service", service],
      [
        "goal",
        `${goal}${version === null ? "" : ` of ${version}`}${release === null || release === version ? "" : ` (release ${release})`}`,
      ],
      ["environments", from === null || from === to ? to : `${from} → ${to}`],
      ["asked for by", by],
      ["why", reason ?? "no reason was given"],
      ["asked for at", timestamp(createdAt)],
      ["ended at", endedAt === null ? "not yet" : `${timestamp(endedAt)}${took}`],
      ["outcome", state],
    ],
  };
}

function incidentFacts(incident: Incident): Block {
  const { kind, seen, decidedAt, exposedMs, backAt, backTookMs, requests, failures } = incident;
  const words = { abort: "a person", verdict: "a guardrail or the proxy", failure: "a step that failed" } as const;
  return {
    kind: "facts",
    facts: [
      ["what was seen", seen],
      ["decided by", words[kind]],
      ["decided at", decidedAt === null ? "not on record" : clock(decidedAt)],
      ["after its first traffic", exposedMs === null ? "it had none" : duration(exposedMs)],
      ["traffic back at", backAt === null ? "no traffic had to be given back" : clock(backAt)],
      ["giving it back took", backTookMs === null ? "–" : backTookMs < 1 ? "less than 1 ms" : duration(backTookMs)],
      [
        "requests that it failed",
        failures === null || requests === null
          ? "not known: no traffic of it is kept"
          : `${count(failures)} of ${count(requests)}${requests === 0 ? "" : ` (${percent(failures / requests)})`}`,
      ],
    ],
  };
}

function traffic({ traffic: rows }: Report): Block[] {
  if (rows.length === 0)
    return [{ kind: "text", text: "Nothing is kept of its traffic: it had none, or that is too long ago." }];
  const ms = (value: number | null): string => (value === null ? "–" : duration(value));
  return [
    { kind: "text", text: "What both environments answered from the first shift to the end, as counted by the proxy." },
    {
      kind: "table",
      head: ["environment", "requests", "failed", "share", "p50", "p95", "p99"],
      rows: rows.map(({ environment, requests, failures, p50Ms, p95Ms, p99Ms }) => [
        environment,
        count(requests),
        count(failures),
        percent(requests === 0 ? null : failures / requests),
        ms(p50Ms),
        ms(p95Ms),
        ms(p99Ms),
      ]),
    },
  ];
}

function stepTable({ steps }: Report): Block {
  if (steps.length === 0) return { kind: "text", text: "Its steps are not kept any more." };
  return {
    kind: "table",
    head: ["step", "state", "began (UTC)", "took"],
    rows: steps.map(({ title, state, startedAt, endedAt }) => [
      title,
      state,
      startedAt === null ? "–" : clock(startedAt),
      startedAt === null || endedAt === null ? "–" : duration(Math.max(0, endedAt - startedAt)),
    ]),
  };
}

function receiptBlocks(receipts: readonly Receipt[]): Block[] {
  if (receipts.length === 0) return [{ kind: "text", text: "Nothing was switched." }];
  const sum = (key: "cut" | "kernelRefused"): number => receipts.reduce((all, receipt) => all + receipt[key], 0);
  const bad = sum("cut") + sum("kernelRefused");
  return [
    {
      kind: "text",
      text: `${bad === 0 ? "No request was" : `${many(bad, "request")} ${bad === 1 ? "was" : "were"}`} cut or refused, as counted by the proxy. What a client lost on its way to the proxy, only the client can count.`,
    },
    {
      kind: "table",
      head: ["time (UTC)", "split", "in flight", "drained", "held", "retried", "rescued", "cut", "failed", "refused"],
      rows: receipts.map((receipt) => [
        clock(receipt.at),
        `${splitText(receipt.to)}${receipt.final ? "" : " (still draining)"}`,
        ...[receipt.inFlight, receipt.drained, receipt.held, receipt.retried, receipt.rescued].map(count),
        ...[receipt.cut, receipt.failed, receipt.kernelRefused].map(count),
      ]),
    },
  ];
}

/** `02:13:14.120`: the day is told above. */
function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}

export const ANSWERS = { yes: "yes", no: "no", unknown: "?", "not-asked": "–" } as const satisfies Record<
  Check["answer"],
  string
>;
