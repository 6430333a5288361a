import { sameWeights, type Weights } from "../../model/traffic.ts";
import type { ServiceStatusAnswer } from "../../sdk/client.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { answerOf, type Scene } from "./scene.ts";
import type { StoredService } from "./store.ts";

/** Whether what is on record of each service is what the proxy does. */
export function services(scene: Scene, stored: readonly StoredService[]): readonly Finding[] {
  const told = answerOf(scene.api)?.services ?? [];
  return [...told.flatMap(state), ...stored.flatMap((row) => orders(row, scene)), ...latches(scene)];
}

function state(status: ServiceStatusAnswer): readonly Finding[] {
  const { service, desired, observed, deployment, environments } = status;
  const check = `service ${service}`;
  const findings: Finding[] = [];
  if (observed !== null && deployment === null && !sameWeights(desired, observed))
    findings.push(
      problem(
        check,
        `the live split is ${words(observed)}, and ${words(desired)} is on record`,
        `\`teal resume ${service} --adopt\` records the live one, \`--overwrite\` puts the recorded one back.`,
      ),
    );
  for (const { name, instances, state: of } of environments) {
    const weight = observed?.[name] ?? 0;
    if (weight === 0) continue;
    const healthy = instances.filter((instance) => instance.healthy).length;
    const message = `${name} has ${String(weight)} % of the traffic, and ${String(healthy)} of ${String(instances.length)} instances are healthy (${of})`;
    const remedy = `\`teal logs ${service}\` has what they print; \`teal rollback ${service}\` goes back.`;
    if (healthy === 0) findings.push(problem(check, message, remedy));
    else if (healthy < instances.length) findings.push(warning(check, message, remedy));
  }
  if (deployment?.hold != null)
    findings.push(
      warning(check, `${deployment.id} does not go on: ${deployment.hold.message}`, deployment.hold.remedy),
    );
  return findings.length > 0 ? findings : [ok(check, `${words(observed ?? desired)}, as recorded`)];
}

/** The fence of the data plane is never above the one on record: that would be another controller's. */
function orders({ service, fence }: StoredService, { proxies }: Scene): readonly Finding[] {
  const seen = proxies.flatMap(({ proxy }) => {
    const split = answerOf(proxy)?.services[service]?.split;
    return split === null || split === undefined ? [] : [split.fence];
  });
  const highest = Math.max(0, ...seen);
  const check = `fence ${service}`;
  if (highest <= fence) return [ok(check, `${String(highest)} at the proxy, ${String(fence)} on record`)];
  return [
    problem(
      check,
      `the proxy follows fence ${String(highest)}, and ${String(fence)} is on record: the store is older than the traffic, or another server has claimed it`,
      "Restart the server (`teal down` and `teal up`, or end its process): it claims a higher one.",
    ),
  ];
}

/** A latch of a deployment that still counts as going on: the proxy has taken it back, and nobody has recorded it. */
function latches({ api, proxies }: Scene): readonly Finding[] {
  const told = answerOf(api)?.services ?? [];
  return proxies.flatMap(({ proxy }) =>
    Object.entries(answerOf(proxy)?.services ?? {}).flatMap(([service, { latched }]) => {
      const running = told.find((one) => one.service === service)?.deployment ?? null;
      // The latch of one that has ended is kept for a while.
      if (running === null || !latched.some(({ deployment }) => deployment === running.id)) return [];
      if (["rolling-back", "frozen"].includes(running.state)) return [];
      const message = `the proxy has taken ${running.id} back, and the server has not`;
      return [problem(`service ${service}`, message, "See .teal/logs/server.log: the disk may refuse the record.")];
    }),
  );
}

function words(weights: Weights): string {
  const parts = Object.entries(weights).map(([name, weight]) => `${name} ${String(weight)} %`);
  return parts.length === 0 ? "no release" : parts.join(", ");
}
