import { readFileSync } from "node:fs";
import { instanceId } from "../../../model/environment.ts";
import type { EnvironmentTarget } from "../../../ports/environment.ts";

/** What a child gets of Teal's own environment, when it is set there: DESIGN, section 10. */
const PASSED_ON = ["PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"] as const;

/**
 * The whole environment of one instance but for PORT, which the keeper draws. What teal.yaml says wins over what is passed on;
 * nothing wins over TEAL_*.
 */
export function childVariables(
  target: EnvironmentTarget,
  ordinal: number,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const { service, environment, release, variables } = target;
  const passedOn: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = own[name];
    if (value !== undefined) passedOn[name] = value;
  }
  return {
    ...passedOn,
    ...loginVariables(release.spec.environment.user),
    HOST: "127.0.0.1",
    ...variables,
    TEAL_SERVICE: service,
    TEAL_ENVIRONMENT: environment,
    TEAL_VERSION: release.version,
    TEAL_INSTANCE: instanceId({ service, environment, release: release.id, ordinal }),
  };
}

/** HOME and USER of the user that the app runs as: those of Teal's own user would lead it to a home that it cannot read. */
function loginVariables(user: string | null): Record<string, string> {
  if (user === null) return {};
  const entry = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([name]) => name === user);
  return { USER: user, HOME: entry?.[5] ?? "/" };
}
