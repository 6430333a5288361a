import type { ServiceStatusAnswer } from "../../sdk/client.ts";
import { serviceOf } from "../service.ts";
import { SERVICE_ARGUMENT, type Verb } from "../verb.ts";
import type { Style } from "../style.ts";
import { stateWord } from "../words/status.ts";
import { table } from "../words/table.ts";

export const envList: Verb = {
  name: "env list",
  summary: "The environments with their instances",
  arguments: [SERVICE_ARGUMENT],
  options: [],
  examples: [
    { command: "teal env list", about: "environments, instances, addresses, process ids" },
    { command: "teal env list web --json", about: "the same for a script" },
  ],
  json: "{environments: [{service, name, role, weight, version, state, instances: [{id, address, pid, healthy}]}]}",
  async run(call) {
    const client = await call.client();
    const named = call.text("service");
    const services = named === undefined ? (await client.status()).services : [await serviceOf(client, named)];
    const environments = services.flatMap(environmentsOf);
    if (call.json) call.document({ environments });
    for (const line of lines(environments, call.style)) call.say(line);
    return 0;
  },
};

type Environment = ReturnType<typeof environmentsOf>[number];

function environmentsOf({ service, active, standby, traffic, environments }: ServiceStatusAnswer) {
  const role = (name: string): "active" | "standby" | null =>
    name === active ? "active" : name === standby ? "standby" : null;
  return environments.map((environment) => ({
    service,
    name: environment.name,
    role: role(environment.name),
    weight: traffic[environment.name] ?? 0,
    version: environment.version,
    state: environment.state,
    instances: environment.instances,
  }));
}

const HEADS = ["ENVIRONMENT", "ROLE", "TRAFFIC", "VERSION", "STATE", "PID", "ADDRESS", "HEALTH"];

/** A table for each service, so that it stays narrow enough for a terminal of 80 columns. */
function lines(environments: readonly Environment[], style: Style): string[] {
  if (environments.length === 0) return ["There are no environments yet: `teal deploy --version V` makes the first."];
  const services = Map.groupBy(environments, ({ service }) => service);
  return [...services].flatMap(([service, own], index) => [
    ...(services.size === 1 ? [] : [...(index === 0 ? [] : [""]), style.strong(service)]),
    ...table([HEADS.map(style.faint), ...own.flatMap((environment) => rows(environment, style))]),
  ]);
}

/** The first row names the environment, each instance has its own. */
function rows({ name, role, weight, version, state, instances }: Environment, style: Style): string[][] {
  const head = [style.environment(name), role ?? "–", `${String(weight)} %`, version ?? "–", stateWord(state, style)];
  const details = instances.map(({ address, pid, healthy }) => [
    pid === null ? "–" : String(pid),
    address ?? "–",
    healthy ? style.good("healthy") : style.bad("unhealthy"),
  ]);
  const [first = [], ...others] = details;
  return [[...head, ...first], ...others.map((detail) => [...head.map(() => ""), ...detail])];
}
