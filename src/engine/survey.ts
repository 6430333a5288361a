import type { Deployment } from "../model/deployment.ts";
import type { EnvironmentRecord } from "../model/environment.ts";
import { TealError, toTealError } from "../model/error.ts";
import type { MaintenanceRecord } from "../model/maintenance.ts";
import { DEFAULT_ENVIRONMENTS, namesInWords } from "../model/names.ts";
import type { Release } from "../model/release.ts";
import type { PlanState } from "../plan/state.ts";
import type { EnvironmentObservation } from "../ports/environment.ts";
import type { ToldObservation } from "../ports/traffic.ts";
import type { RetirementRow, ServiceRow } from "../store/store.ts";
import { driverOf, type EngineParts } from "./parts.ts";

export interface SurveyedEnvironment {
  readonly name: string;
  readonly record: EnvironmentRecord | null;
  readonly release: Release | null;
  /** Null when its driver does not answer. */
  readonly observation: EnvironmentObservation | null;
}

/** A service at one moment: the record, and what is really there. */
export interface Survey {
  readonly row: ServiceRow;
  readonly environments: readonly SurveyedEnvironment[];
  /** Null when the data plane does not answer, or the service has never had a release. */
  readonly traffic: ToldObservation | null;
  readonly unfinished: Deployment | null;
  readonly retirement: RetirementRow | null;
  readonly maintenance: MaintenanceRecord | null;
}

/** Whether the data plane is asked for what it has told already. */
type Asks = "always" | "unless-told";

const NOTHING: Omit<ServiceRow, "service"> = { fence: 0, generation: 0, weights: {}, active: null, standby: null };

/**
 * Looks at everything there is to know of a service. What does not answer is null, so that a status can always be given.
 * `unless-told`: nothing is decided by it, so what the data plane has told by itself will do.
 */
export async function survey(
  parts: EngineParts,
  service: string,
  signal: AbortSignal,
  asks: Asks = "always",
): Promise<Survey> {
  const { store } = parts;
  const { row, environments: records, unfinished, retirement, maintenance } = await store.outline(service);
  if (row === null && !parts.configuration.services().includes(service)) {
    throw new TealError(
      "service-unknown",
      `there is no service ${service}; there is ${namesInWords(parts.configuration.services())}`,
    );
  }
  const names = [...new Set<string>([...DEFAULT_ENVIRONMENTS, ...records.map(({ name }) => name)])];
  const recorded = await Promise.all(
    names.map((name) => recordedOne(parts, service, name, records.find((record) => record.name === name) ?? null)),
  );
  const known = recorded.find(({ release }) => release !== null)?.release ?? null;
  const [environments, traffic] = await Promise.all([
    Promise.all(recorded.map(async (one) => ({ ...one, observation: await observedOne(parts, service, one, signal) }))),
    known === null ? null : observedTraffic(parts, known, signal, asks),
  ]);
  return {
    row: row ?? { service, ...NOTHING },
    environments,
    traffic,
    unfinished,
    retirement,
    maintenance,
  };
}

/** @throws `environment-unknown` */
export function known(seen: Survey, environment: string): string {
  const names = seen.environments.map(({ name }) => name);
  if (!names.includes(environment)) {
    throw new TealError(
      "environment-unknown",
      `${seen.row.service} has no environment ${environment}; it has ${names.join(", ")}`,
    );
  }
  return environment;
}

/** Whether an environment runs something else than the release on record: the database may be an older copy. */
export function runsAnother(release: Release, { release: running, instances }: EnvironmentObservation): boolean {
  return instances.length > 0 && running !== null && running !== release.id;
}

/** Its state with the release on record: another one's counts for nothing. */
export function stateOf({ release, observation }: Pick<SurveyedEnvironment, "release" | "observation">) {
  if (observation === null || (release !== null && runsAnother(release, observation))) return "absent";
  return observation.state;
}

export function planState(seen: Survey): PlanState {
  const { row, retirement } = seen;
  return {
    service: row.service,
    active: row.active,
    standby: row.standby,
    weights: seen.traffic?.split?.weights ?? row.weights,
    environments: Object.fromEntries(
      seen.environments.map(({ name, record, release, observation }) => [
        name,
        {
          release,
          state: stateOf({ release, observation }),
          ...(record?.count === undefined || release === null ? {} : { count: record.count }),
        },
      ]),
    ),
    retirement: retirement === null ? null : { environment: retirement.environment, at: retirement.at },
  };
}

type RecordedEnvironment = Omit<SurveyedEnvironment, "observation">;

async function recordedOne(
  { store }: EngineParts,
  service: string,
  name: string,
  record: EnvironmentRecord | null,
): Promise<RecordedEnvironment> {
  const release = record?.release == null ? null : await store.release(service, record.release);
  return { name, record, release };
}

async function observedOne(
  parts: EngineParts,
  service: string,
  { name, release }: RecordedEnvironment,
  signal: AbortSignal,
): Promise<EnvironmentObservation | null> {
  if (release === null) return { environment: name, release: null, state: "absent", instances: [] };
  const driver = driverOf(parts.environments, release.spec.environment.driver);
  return orNull(parts, driver.observe(service, name, signal), { service, environment: name });
}

async function observedTraffic(
  parts: EngineParts,
  release: Release,
  signal: AbortSignal,
  asks: Asks,
): Promise<ToldObservation | null> {
  const driver = driverOf(parts.traffic, release.spec.traffic.driver);
  const told = asks === "unless-told" ? driver.told?.(release.service) : null;
  return told ?? orNull(parts, driver.observe(release.service, signal), { service: release.service });
}

async function orNull<T>(
  parts: EngineParts,
  answer: Promise<T>,
  about: Readonly<Record<string, unknown>>,
): Promise<T | null> {
  try {
    return await answer;
  } catch (thrown) {
    parts.report(toTealError(thrown), { ...about, doing: "survey" });
    return null;
  }
}
