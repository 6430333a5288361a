import type { TealEvent } from "../model/event.ts";
import { sameWeights } from "../model/traffic.ts";
import type { DeploymentRecord } from "../store/deployment-record.ts";
import type { StepRow } from "../store/store.ts";
import { numberOf, textOf } from "./data.ts";
import type { EnvironmentTraffic } from "./environment-traffic.ts";
import { splitsOf } from "./splits.ts";
import { count, duration, many, percent, timestamp } from "./words.ts";

/** `unknown`: only people know. `not-asked`: this deployment did not have to. */
export interface Check {
  readonly question: string;
  readonly answer: "yes" | "no" | "unknown" | "not-asked";
  readonly detail: string;
}

export interface Checklist {
  readonly before: readonly Check[];
  readonly during: readonly Check[];
  readonly after: readonly Check[];
}

const UNKNOWN = "not known to Teal";

/** The questions that teams go through, answered by what is on record. Nothing is ticked that was not seen. */
export function checklistOf(record: DeploymentRecord, traffic: readonly EnvironmentTraffic[]): Checklist {
  const { to } = record.deployment;
  return {
    before: [
      ofStep(record, "healthy@", `${to} runs the release and is healthy`, "it was there already"),
      ofStep(record, "validate@", "Checks and smoke tests pass on it", "none are declared in deploy.validate"),
      unknown("Database migrations are backward compatible", "it runs no migrations in this version"),
      configuration(record),
      approval(record),
      unknown("The way back was rehearsed", wayBack(record)),
      unknown("The team was told", null),
    ],
    during: [
      ofStep(record, "start@", `The release was started on ${to}`, "it ran already"),
      switched(record),
      unharmed(record),
      undisturbed(record),
      unknown(
        "Somebody has looked at it by hand",
        record.approval === null ? null : "the approval is all that is on record",
      ),
    ],
    after: [
      watched(record),
      noBreach(record, {
        rules: /^(?:errorRate|worseThanActive|connectFailures)$/,
        question: "No spike of failures",
        seen: failures(traffic, to),
      }),
      noBreach(record, { rules: /^latency\./, question: "No loss of speed", seen: latency(traffic, to) }),
      standby(record),
      { question: "It is documented", answer: "yes", detail: "by this report" },
    ],
  };
}

function unknown(question: string, more: string | null): Check {
  return { question, answer: "unknown", detail: more === null ? UNKNOWN : `${UNKNOWN}: ${more}` };
}

function stepOf({ steps }: DeploymentRecord, uses: string): StepRow | undefined {
  return steps.find((step) => step.uses.startsWith(uses));
}

function ofStep(record: DeploymentRecord, uses: string, question: string, without: string): Check {
  const step = stepOf(record, uses);
  if (step === undefined)
    return {
      question,
      answer: record.steps.length === 0 ? "unknown" : "not-asked",
      detail: record.steps.length === 0 ? "its steps are not kept any more" : without,
    };
  const { startedAt, endedAt, state, result } = step;
  const wasDone =
    state === "done" ||
    ((state === "undone" || state === "undoing") && endedAt !== null && result?.["code"] === undefined);
  if (wasDone) {
    const took = startedAt === null || endedAt === null ? "done" : `done in ${duration(endedAt - startedAt)}`;
    return { question, answer: "yes", detail: state === "done" ? took : "done, and taken back later" };
  }
  const message = result?.["message"];
  return { question, answer: "no", detail: typeof message === "string" ? message : `it was ${state}` };
}

function configuration({ plan }: DeploymentRecord): Check {
  const question = "What differs in the configuration was shown";
  if (plan === null) return { question, answer: "unknown", detail: "its plan is not kept any more" };
  const paths = plan.changes.map(({ path }) => path);
  const detail =
    paths.length === 0
      ? "nothing differs"
      : `${many(paths.length, "setting")}: ${paths.slice(0, 10).join(", ")}${paths.length > 10 ? ", …" : ""}`;
  return { question, answer: "yes", detail };
}

function approval(record: DeploymentRecord): Check {
  const question = "Somebody approved it";
  const given = record.approval;
  if (given !== null)
    return {
      question,
      answer: "yes",
      detail: `${given.by}, ${timestamp(given.at)}${given.reason === null ? "" : `: ${given.reason}`}`,
    };
  if (stepOf(record, "approval@") === undefined)
    return { question, answer: "not-asked", detail: "deploy.approval is none" };
  return { question, answer: "no", detail: "nobody did" };
}

function wayBack({ plan, deployment }: DeploymentRecord): string | null {
  if (deployment.from === null) return "there was nothing to go back to";
  return plan === null
    ? null
    : `the old release was kept warm; by the plan, going back takes ${duration(plan.worstRollbackMs)} at most`;
}

function switched({ deployment, events }: DeploymentRecord): Check {
  const question = `The traffic was switched to ${deployment.to}`;
  const whole = splitsOf(events, deployment.to).find(({ weight }) => weight === 100);
  if (whole !== undefined) return { question, answer: "yes", detail: `at ${timestamp(whole.at)}` };
  if (events.length === 0) return { question, answer: "unknown", detail: "its events are not kept any more" };
  const most = Math.max(0, ...splitsOf(events, deployment.to).map(({ weight }) => weight));
  return { question, answer: "no", detail: `it had ${String(most)} % at most` };
}

function unharmed({ receipts }: DeploymentRecord): Check {
  const question = "No request was cut or refused by a switch";
  const switches = receipts.filter(({ from, to }) => !sameWeights(from, to));
  if (switches.length === 0) return { question, answer: "not-asked", detail: "nothing was switched" };
  const sum = (key: "cut" | "kernelRefused" | "inFlight"): number =>
    switches.reduce((all, receipt) => all + receipt[key], 0);
  const [cut, refused] = [sum("cut"), sum("kernelRefused")];
  const open = switches.some(({ final }) => !final) ? "; some were still draining" : "";
  const detail = `${many(switches.length, "switch").replace("switchs", "switches")}, ${count(sum("inFlight"))} in flight, ${count(cut)} cut, ${count(refused)} refused by the kernel${open}`;
  return { question, answer: cut + refused > 0 ? "no" : "yes", detail };
}

function undisturbed({ events }: DeploymentRecord): Check {
  const question = "Nobody else changed the split";
  const disturbed = events.filter(({ type }) => type === "drift" || type === "traffic-asked");
  if (events.length === 0) return { question, answer: "unknown", detail: "its events are not kept any more" };
  if (disturbed.length === 0)
    return { question, answer: "yes", detail: "no drift was seen, and nobody set it by hand" };
  return { question, answer: "no", detail: `${many(disturbed.length, "time")}: see the timeline` };
}

function watched(record: DeploymentRecord): Check {
  const question = "It was watched after the switch";
  const bake = stepOf(record, "bake@");
  if (bake === undefined)
    return {
      question,
      answer: record.steps.length === 0 ? "unknown" : "not-asked",
      detail: "there is no bake in its plan",
    };
  if (bake.startedAt === null) return { question, answer: "no", detail: "it did not come to its bake" };
  const ended = bake.endedAt ?? record.deployment.endedAt;
  const planned = bake.input["watchMs"];
  const of = typeof planned === "number" ? ` of ${duration(planned)}` : "";
  if (bake.state !== "done") return { question, answer: "no", detail: `the bake${of} did not come to its end` };
  return {
    question,
    answer: "yes",
    detail: `for ${ended === null ? "?" : duration(ended - bake.startedAt)}${of} planned`,
  };
}

function noBreach(
  { events, spec, deployment }: DeploymentRecord,
  { rules, question, seen }: { readonly rules: RegExp; readonly question: string; readonly seen: string | null },
): Check {
  const told = events.filter((event) => event.type === "guardrail" && rules.test(textOf(event, "rule") ?? ""));
  const worst = worstOf(told);
  if (worst !== undefined)
    return { question, answer: "no", detail: textOf(worst, "message") ?? "a guardrail was breached" };
  const isLatency = rules.test("latency.p95");
  if (isLatency && spec !== null && Object.keys(spec.deploy.guardrails.latency).length === 0)
    return {
      question,
      answer: "unknown",
      detail: `no limit of deploy.guardrails.latency is set${seen === null ? "" : `; ${seen}`}`,
    };
  if (seen === null) return { question, answer: "unknown", detail: "no traffic of it is kept" };
  if (!splitsOf(events, deployment.to).some(({ weight }) => weight > 0))
    return { question, answer: "not-asked", detail: "it had no traffic" };
  const lacking = told.find((event) => textOf(event, "action") === "none");
  if (lacking !== undefined)
    return { question, answer: "unknown", detail: textOf(lacking, "message") ?? "too little evidence" };
  return { question, answer: "yes", detail: `no limit was exceeded; ${seen}` };
}

function worstOf(told: readonly TealEvent[]): TealEvent | undefined {
  return ["rollBack", "hold", "warn"].flatMap((action) =>
    told.filter((event) => textOf(event, "action") === action),
  )[0];
}

function failures(traffic: readonly EnvironmentTraffic[], name: string): string | null {
  const ours = traffic.find(({ environment }) => environment === name);
  if (ours === undefined || ours.requests === 0) return null;
  return `${count(ours.failures)} of ${many(ours.requests, "request")} failed (${percent(ours.failures / ours.requests)})`;
}

function latency(traffic: readonly EnvironmentTraffic[], name: string): string | null {
  const ours = traffic.find(({ environment }) => environment === name);
  return ours?.p95Ms == null ? null : `its p95 was ${duration(ours.p95Ms)}`;
}

function standby({ events, deployment }: DeploymentRecord): Check {
  const question = "The old environment is the standby now";
  const kept = events.findLast(({ type }) => type === "retirement-scheduled");
  if (deployment.state !== "completed")
    return { question, answer: "not-asked", detail: "the old environment has the traffic" };
  if (kept === undefined)
    return {
      question,
      answer: deployment.from === null ? "not-asked" : "unknown",
      detail: deployment.from === null ? "there was none" : "its retirement is not on record",
    };
  const until = numberOf(kept, "at");
  return {
    question,
    answer: "yes",
    detail: `${textOf(kept, "environment") ?? "it"} is kept warm${until === null ? "" : ` until ${timestamp(until)}`}`,
  };
}
