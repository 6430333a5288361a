import type { EnvironmentRecord } from "../model/environment.ts";
import type { Release } from "../model/release.ts";

/** The release with as many instances as a person has asked for in this environment, where somebody has. */
export function scaled(
  release: Release,
  record: Pick<EnvironmentRecord, "release" | "count"> | null | undefined,
): Release {
  if (record?.count === undefined || record.release !== release.id) return release;
  const { spec } = release;
  return { ...release, spec: { ...spec, environment: { ...spec.environment, count: record.count } } };
}
