import type { EnvironmentSpec } from "../model/service.ts";
import { processCautions } from "./environment/process/cautions.ts";

/** What each driver's `cautions` says, by its name, for `teal check`, which has no server to ask. */
const CAUTIONS: Readonly<Record<string, (spec: EnvironmentSpec, uid: number) => readonly string[]>> = {
  process: processCautions,
};

export function environmentCautions(spec: EnvironmentSpec, uid: number): readonly string[] {
  return CAUTIONS[spec.driver]?.(spec, uid) ?? [];
}
