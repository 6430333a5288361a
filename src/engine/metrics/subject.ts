import type { Release } from "../../model/release.ts";
import type { MetricInstance, MetricSubject } from "../../ports/metrics.ts";
import { driverOf, type EngineParts } from "../parts.ts";

/** What a source is asked about: an environment, and the release that runs there. */
export function subjectOf(parts: EngineParts, environment: string, release: Release): MetricSubject {
  const { service, version, id } = release;
  return {
    names: { environment, service, version, release: id },
    instances: async (signal): Promise<readonly MetricInstance[]> => {
      const driver = driverOf(parts.environments, release.spec.environment.driver);
      const { instances } = await driver.observe(service, environment, signal);
      return instances.flatMap(({ id: instance, state, address }) =>
        state === "ready" && address !== null ? [{ id: instance, baseUrl: `http://${address}` }] : [],
      );
    },
  };
}

/** The same of an environment by the record; null: nothing is on record there. */
export async function recordedSubject(
  parts: EngineParts,
  service: string,
  environment: string,
): Promise<MetricSubject | null> {
  const record = (await parts.store.environments(service)).find(({ name }) => name === environment);
  const release = record?.release == null ? null : await parts.store.release(service, record.release);
  return release === null ? null : subjectOf(parts, environment, release);
}
