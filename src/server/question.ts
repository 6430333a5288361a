import type { PlanRequest, TrafficRequest } from "../api/requests.ts";
import type { PlanQuestion, TrafficRequest as TrafficOrder, Variables } from "../engine/control.ts";
import { TealError } from "../model/error.ts";
import type { ServerInfo } from "./info.ts";

/**
 * What a plan is asked for.
 * @throws `request-invalid` when the goal lacks what it needs
 */
export function planQuestion(service: string, request: PlanRequest, variables: Variables): PlanQuestion {
  const { goal, version, to } = request;
  switch (goal) {
    case "deploy":
      return { goal, service, version: needed(version, goal, "version"), variables };
    case "switch":
    case "retire":
      return { goal, service, to: needed(to, goal, "to") };
    case "rollback":
      return { goal, service };
  }
  return goal satisfies never;
}

function needed(value: string | undefined, goal: string, field: string): string {
  if (value !== undefined) return value;
  const problem = { path: `body.${field}`, line: null, message: `a plan for ${goal} needs it` };
  throw new TealError("request-invalid", `a plan for ${goal} needs ${field}`, { problems: [problem] });
}

/**
 * The split that a person wants.
 * @throws `request-invalid` unless it is said in exactly one way
 */
export function trafficWish({ weights, drift }: Pick<TrafficRequest, "weights" | "drift">): TrafficOrder["wish"] {
  if (weights !== undefined && drift === undefined) return { weights };
  if (drift !== undefined && weights === undefined) return { drift };
  throw new TealError("request-invalid", "the call needs either weights or drift");
}

/**
 * The variables that came with a request: secrets of the person who deploys.
 * @throws `forbidden` when they came another way than over the unix socket
 */
export function variablesOf(
  body: { readonly variables?: Variables | undefined },
  info: Pick<ServerInfo, "channel">,
): Variables {
  if (body.variables === undefined) return {};
  if (info.channel === "tcp") throw new TealError("forbidden", "variables are taken over the unix socket alone");
  return body.variables;
}
