import { leader } from "../model/traffic.ts";
import type { DeploymentAnswer } from "../sdk/client.ts";
import { causeWords } from "./outcome.ts";
import type { Style } from "./style.ts";
import { harmed, receiptLine, worthTelling } from "./words/receipt.ts";
import { wrap } from "./words/table.ts";
import { split } from "./words/weights.ts";

export interface ConclusionOptions {
  /** No line is wider; infinite where nobody looks. */
  readonly columns: number;
  readonly withReceipts: boolean;
  /** Whether this end is what the person has asked for: an abort that was called is a success. */
  readonly asked?: boolean;
}

/** What to say when a deployment has settled: its receipts where they do not stand already, its end, and what to do now. */
export function conclusion(
  deployment: DeploymentAnswer,
  style: Style,
  { columns, withReceipts, asked = false }: ConclusionOptions,
): string[] {
  const told = withReceipts ? deployment.receipts.filter(worthTelling) : [];
  const receipts = told.map((receipt) => {
    const line = `  ${receiptLine(receipt)}`;
    return harmed(receipt) ? style.warn(line) : line;
  });
  return [
    "",
    ...receipts,
    ...(receipts.length === 0 ? [] : [""]),
    ...(asked ? asAsked(deployment, style, columns) : ending(deployment, style, columns)),
  ];
}

function asAsked(deployment: DeploymentAnswer, style: Style, columns: number): string[] {
  const { state, goal, version, to, receipts } = deployment;
  if (state === "failed") {
    const stays = newest(receipts) === null ? "" : `; the traffic stays: ${split(newest(receipts)?.to ?? {})}`;
    return [
      `${style.good("✓")} The ${goal} of ${style.strong(version ?? to)} is ended where it stood${stays}.`,
      style.faint("  `teal switch --to ENVIRONMENT` says where it is to be."),
    ];
  }
  if (state !== "aborted") return ending(deployment, style, columns);
  return [
    `${style.good("✓")} The ${goal} of ${style.strong(version ?? to)} is aborted${trafficNow(deployment, style)}.`,
  ];
}

function ending(deployment: DeploymentAnswer, style: Style, columns: number): string[] {
  const { version, to } = deployment;
  const what = version ?? to;
  const cause = causeWords(deployment);
  const why = cause === null ? [] : wrap(cause.why, columns, "  ", "  ");
  if (cause?.remedy != null) why.push(...wrap(cause.remedy, columns, "  ", "  ").map(style.faint));
  switch (deployment.state) {
    case "completed":
      return [`${style.good("✓")} ${done(deployment, style)}`, ...wayBack(deployment, style)];
    case "rolled-back":
      return [`${style.bad("✗")} ${style.strong(what)} was rolled back${trafficNow(deployment, style)}.`, ...why];
    case "aborted":
      return [
        `${style.bad("✗")} The ${deployment.goal} of ${style.strong(what)} was aborted${trafficNow(deployment, style)}.`,
        ...why,
      ];
    case "failed":
      return [
        `${style.bad("✗")} The ${deployment.goal} of ${style.strong(what)} failed${trafficNow(deployment, style)}.`,
        ...why,
      ];
    case "frozen": {
      const old = deployment.from ?? "the old environment";
      return [
        `${style.bad("✗")} The ${deployment.goal} of ${style.strong(what)} is frozen: ${old} has no healthy instance, and going back would be worse.`,
        ...why,
        `  Mend ${old}, and it is taken back by itself. \`teal status\` has the other ways out.`,
      ];
    }
    default:
      return [`The ${deployment.goal} is ${deployment.state}.`];
  }
}

/** A rollback of a rollback would go forward again: its way back is named by environment. */
function wayBack({ goal, from }: DeploymentAnswer, style: Style): string[] {
  if (from === null || goal === "retire") return [];
  return [
    style.faint(goal === "deploy" ? "  To go back: `teal rollback`." : `  To go back: \`teal switch --to ${from}\`.`),
  ];
}

function done({ goal, version, to }: DeploymentAnswer, style: Style): string {
  const environment = style.environment(to);
  if (goal === "retire") return `${environment} is retired.`;
  return `${style.strong(version ?? "The release")} on ${environment} has all the traffic.`;
}

/** Where the traffic is after going back, by the last receipt. */
function trafficNow({ receipts, from }: DeploymentAnswer, style: Style): string {
  const last = newest(receipts);
  const holder = last === null ? from : leader(last.to);
  return holder === null ? "" : `; ${style.environment(holder)} has the traffic`;
}

function newest(receipts: DeploymentAnswer["receipts"]): DeploymentAnswer["receipts"][number] | null {
  return receipts.reduce<DeploymentAnswer["receipts"][number] | null>(
    (best, receipt) => (best === null || receipt.generation > best.generation ? receipt : best),
    null,
  );
}
