import { instanceId } from "../../../model/environment.ts";
import type { EnvironmentTarget } from "../../../ports/environment.ts";
import type { InstanceSpec } from "../../../wire/keeper.ts";
import { childVariables } from "./variables.ts";

/** One spec for each of the environment's instances. */
export function instanceSpecs(
  target: EnvironmentTarget,
  own: Readonly<Record<string, string | undefined>>,
): InstanceSpec[] {
  const { service, environment, release } = target;
  const { command, count, stop, user } = release.spec.environment;
  return Array.from({ length: count }, (_, ordinal) => ({
    id: instanceId({ service, environment, release: release.id, ordinal }),
    service,
    environment,
    release: release.id,
    ordinal,
    command: argv(command),
    directory: release.directory,
    variables: childVariables(target, ordinal, own),
    user,
    stop: { ...stop },
    health: { ...release.spec.health },
  }));
}

/** CONTRACTS, teal.yaml: a string runs as /bin/sh -c "exec …"; a list runs as it is. */
function argv(command: string | readonly string[]): string[] {
  return typeof command === "string" ? ["/bin/sh", "-c", `exec ${command}`] : [...command];
}
