import type { EpochMilliseconds } from "../../model/time.ts";
import { sameWeights } from "../../model/traffic.ts";
import type { ServiceStatusAnswer, StatusAnswer } from "../../sdk/client.ts";
import type { Style } from "../style.ts";
import { duration, relative } from "./duration.ts";
import { maintenanceFact } from "./maintenance.ts";
import { table } from "./table.ts";
import { bar, split } from "./weights.ts";

type Environment = ServiceStatusAnswer["environments"][number];

const BAR = 20;
const DAY = 24 * 3_600_000;

/** `teal status` for a person. */
export function statusLines(status: StatusAnswer, now: EpochMilliseconds, style: Style): string[] {
  const { version, listeners, services } = status;
  const where = listeners.map(({ address }) => address).join(", ");
  const head = style.faint(`Teal ${version}${where === "" ? "" : `, traffic comes in at ${where}`}`);
  return [head, ...services.flatMap((service) => ["", ...serviceLines(service, now, style)])];
}

function serviceLines(service: ServiceStatusAnswer, now: EpochMilliseconds, style: Style): string[] {
  const active = service.environments.find(({ name }) => name === service.active);
  const head =
    service.active === null || active === undefined
      ? `${style.strong(service.service)}  no release yet: \`teal deploy --version V\``
      : `${style.strong(service.service)}  ${style.strong(active.version ?? "?")} is active on ${style.environment(active.name)}`;
  const maintenance = maintenanceFact(service, now);
  const facts: Fact[] = [
    ...(maintenance === null ? [] : [["maintenance", style.warn(maintenance)] as const]),
    ...driftFact(service, style),
    ...rollbackFact(service, style),
    ...deploymentFact(service, now, style),
    ...retirementFact(service, now, style),
    ...deliveryFact(service),
  ];
  return [
    head,
    ...table(service.environments.map((environment) => environmentRow(environment, service, style))),
    ...table(facts.map(([name, value]) => [style.faint(`  ${name}`), value])),
  ];
}

function environmentRow(environment: Environment, { traffic }: ServiceStatusAnswer, style: Style): string[] {
  const { name, version, state } = environment;
  const weight = traffic[name] ?? 0;
  return [
    `  ${style.environment(name)}`,
    bar(weight, BAR, (text) => style.environment(name, text), style),
    `${String(weight)} %`.padStart(5),
    version ?? style.faint("–"),
    stateWord(state, style),
    healthWord(environment, style),
  ];
}

export function stateWord(state: Environment["state"], style: Style): string {
  if (state === "ready") return style.good(state);
  if (state === "failed") return style.bad(state);
  return state === "absent" ? style.faint(state) : style.warn(state);
}

function healthWord({ instances }: Environment, style: Style): string {
  if (instances.length === 0) return "";
  const healthy = instances.filter((instance) => instance.healthy).length;
  const words = `${String(healthy)} of ${String(instances.length)} healthy`;
  return healthy === instances.length ? words : style.bad(words);
}

type Fact = readonly [string, string];

function driftFact({ desired, observed, deployment }: ServiceStatusAnswer, style: Style): Fact[] {
  if (deployment !== null || observed === null || sameWeights(desired, observed)) return [];
  return [
    [
      "drift",
      style.warn(`Teal had set ${split(desired)}. \`teal resume --adopt\` keeps the live split, --overwrite ends it.`),
    ],
  ];
}

function rollbackFact({ rollback, active }: ServiceStatusAnswer, style: Style): Fact[] {
  if (active === null) return [];
  const paint = { safe: style.good, "until-contract": style.warn, unsafe: style.bad }[rollback.safe];
  const time = rollback.seconds === null ? "" : `, about ${duration(rollback.seconds * 1_000)}`;
  return [["rollback", `${paint(rollback.safe)}${time}: ${rollback.reason}`]];
}

function deploymentFact({ deployment }: ServiceStatusAnswer, now: EpochMilliseconds, style: Style): Fact[] {
  if (deployment === null) return [];
  const { id, goal, state, step, startedAt, hold } = deployment;
  const since = startedAt === null ? "" : `, begun ${relative(startedAt, now)}`;
  return [
    [
      "deployment",
      `${goal} is ${style.warn(state)}${step === null ? "" : ` at ${step}`}${since} ${style.faint(`(${id})`)}`,
    ],
    ...(hold === null ? [] : [["on hold", style.warn(`${hold.message}. ${hold.remedy}`)] as const]),
  ];
}

function retirementFact({ retirement }: ServiceStatusAnswer, now: EpochMilliseconds, style: Style): Fact[] {
  return retirement === null
    ? []
    : [["retirement", `${style.environment(retirement.environment)} ${relative(retirement.at, now)}`]];
}

/** DORA's four, as far as there is something to say. */
function deliveryFact({ dora }: ServiceStatusAnswer): Fact[] {
  if (dora === null || dora.changes + dora.deployments === 0) return [];
  const { deployments, observedDays, leadTimeSeconds, changeFailureRate, timeToRestoreSeconds } = dora;
  const parts = [
    `${String(deployments)} deploy${deployments === 1 ? "" : "s"} in ${duration(observedDays * DAY)}`,
    ...(leadTimeSeconds === null ? [] : [`lead time ${duration(leadTimeSeconds * 1_000)}`]),
    ...(changeFailureRate === null ? [] : [`${String(Math.round(changeFailureRate * 100))} % failed`]),
    ...(timeToRestoreSeconds === null ? [] : [`back in ${duration(timeToRestoreSeconds * 1_000)}`]),
  ];
  return [["delivery", parts.join(", ")]];
}
