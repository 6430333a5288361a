import type { EnvironmentSpec } from "../../../model/service.ts";
import { rootProblem } from "./root.ts";
import { shellLineProblem } from "./shell-line.ts";

/** What a person should know before this environment is run by a Teal that runs as `uid`. */
export function processCautions(spec: EnvironmentSpec, uid: number): readonly string[] {
  return [rootProblem(spec, uid), shellLineProblem(spec.command)].filter((problem) => problem !== null);
}
