import type { Evidence } from "../evidence.ts";

/** When all deployments have ended exactly one healthy version serves, and record, data plane and answers agree on which. */
export function onePlace({ record, live, versions, answering, deployments }: Evidence): readonly string[] {
  const serving = Object.keys(live.weights).filter((name) => (live.weights[name] ?? 0) > 0);
  const [environment] = serving;
  if (environment === undefined || serving.length > 1 || live.weights[environment] !== 100)
    return [`the traffic is not in one place: ${JSON.stringify(live.weights)}`];
  const breaches: string[] = [];
  if (record.active !== environment) breaches.push(`${environment} serves, and ${String(record.active)} is on record`);
  if (record.weights[environment] !== 100) breaches.push(`on record are ${JSON.stringify(record.weights)}`);
  const healthy = live.healthy.find((one) => one.environment === environment)?.count ?? 0;
  if (healthy === 0) breaches.push(`${environment} has the traffic and no healthy instance`);
  if (live.armed !== null && deployments.some(({ id }) => id === live.armed))
    breaches.push(`the data plane is still armed for ${live.armed}, which has ended`);
  const expected = versions[environment];
  const others = answering.filter((version) => version !== expected);
  if (others.length > 0 || answering.length === 0)
    breaches.push(`${String(expected)} is to answer, and these did: ${answering.join(", ")}`);
  return breaches;
}
