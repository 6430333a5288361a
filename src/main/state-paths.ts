import { dirname, join } from "node:path";
import { StatePaths } from "../wire/paths.ts";

/** The state directory of a teal.yaml stands beside it. */
export function statePathsOf(config: string): StatePaths {
  return new StatePaths(join(dirname(config), ".teal"));
}
