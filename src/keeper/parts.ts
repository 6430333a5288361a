import type { Clock, Random } from "../model/time.ts";
import type { KeeperLaunch } from "../wire/launch.ts";
import type { StatePaths } from "../wire/paths.ts";
import type { Acquaintances } from "./acquaintances.ts";

/** What the keeper and all in it are given by the composition root. */
export interface KeeperParts {
  readonly launch: KeeperLaunch;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly random: Random;
  /** The keeper's own log. */
  readonly log: (text: string) => void;
  readonly acquaintances: Acquaintances;
}
