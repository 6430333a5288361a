import { metricRules } from "../analysis/metric/rule.ts";
import type { RecordedTraffic } from "../model/series.ts";
import type { ServiceSpec } from "../model/service.ts";

/** Why a replay may come to another verdict than the deployment. */
export interface Caveat {
  readonly code: "clients" | "probes" | "metrics" | "active-users" | "gap";
  /** A sentence without its full stop, for people. */
  readonly message: string;
}

/** What the guardrails of a configuration go by and a recording does not hold. */
export function caveatsOf(traffic: RecordedTraffic, { deploy, traffic: routing }: ServiceSpec): Caveat[] {
  const { guardrails, probes } = deploy;
  const metrics = metricRules(guardrails).map(({ name }) => name);
  const gapMs = gapOf(traffic);
  return [
    ...(routing.affinity !== undefined && !knowsClients(traffic)
      ? one(
          "clients",
          "this recording does not tell clients apart (traffic.affinity), so that each failure counts here",
        )
      : []),
    ...(probes === undefined
      ? []
      : one(
          "probes",
          "what probes were answered is not kept: users' requests are judged alone, by their half of alpha",
        )),
    ...(metrics.length === 0
      ? []
      : one("metrics", `what was read for ${metrics.join(", ")} is not kept: these guardrails are not judged`)),
    ...(guardrails.activeUsers === undefined
      ? []
      : one("active-users", "distinct users are not kept: guardrails.activeUsers is not judged")),
    ...(gapMs === 0
      ? []
      : one("gap", `nothing is kept of ${String(Math.ceil(gapMs / 1_000))} s in which no server ran`)),
  ];
}

function one(code: Caveat["code"], message: string): Caveat[] {
  return [{ code, message }];
}

/** Where nothing has failed there is nothing to be told apart. */
function knowsClients({ points, candidate }: RecordedTraffic): boolean {
  return points.every(({ environments }) => {
    const cell = environments[candidate];
    return cell === undefined || cell.failures === 0 || cell.clients !== undefined;
  });
}

function gapOf({ points }: RecordedTraffic): number {
  return points.reduce((sum, { from }, index) => sum + Math.max(0, from - (points[index - 1]?.at ?? from)), 0);
}
