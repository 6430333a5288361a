import type { EnvironmentSpec } from "../../../model/service.ts";

/**
 * What is doubtful about running this environment from a Teal that runs as `uid`; null when nothing is. Told and not refused:
 * in a container root is often the only user there is. An app that is to run as root says so: `user: root`.
 */
export function rootProblem(spec: Pick<EnvironmentSpec, "user">, uid: number): string | null {
  if (uid !== 0 || spec.user !== null) return null;
  return "Teal runs as root, so the app would too: name the user to run it as in environment.user (`user: root` if it must be root)";
}
