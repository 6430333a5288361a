import type { Clock } from "../../model/time.ts";
import { readLastStart } from "../last-start.ts";
import { readRuntimeVersion } from "../runtime-version.ts";
import type { EventHead } from "../../store/sqlite/verify-events.ts";
import { statePathsOf } from "../state-paths.ts";
import type { Finding } from "./finding.ts";
import { clockFinding, nodeVersion, openFiles } from "./machine.ts";
import { ports } from "./ports.ts";
import { orphans, processes } from "./processes.ts";
import { lookAround } from "./scene.ts";
import { services } from "./services.ts";
import { stateDirectory } from "./state-directory.ts";
import { store } from "./store.ts";
import { unit } from "./unit.ts";
import { firstProcess } from "./first-process.ts";

export interface DoctorOptions {
  /** teal.yaml, absolute; only its folder counts. */
  readonly config: string;
  /** Folder with the package's runtime bundles. */
  readonly bundles: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** An event's number and hash, or the beginning of that, which somebody has noted before. */
  readonly noted: EventHead | null;
}

/** Looks at everything that one machine's Teal stands on, and changes nothing. Works when all of it is down. */
export async function doctor({ config, bundles, clock, signal, noted }: DoctorOptions): Promise<readonly Finding[]> {
  const paths = statePathsOf(config);
  const { version } = await readRuntimeVersion(bundles);
  const scene = await lookAround(paths, version, clock, signal);
  const kept = await store(paths.database, signal, noted);
  const running = "answer" in scene.keeper && scene.keeper.answer !== null;
  return [
    nodeVersion(process.versions.node),
    ...stateDirectory(paths, process.getuid?.() ?? -1, running),
    clockFinding(clock.now(), [paths.database, paths.keeperRecord], kept.lastEventAt),
    ...processes(scene),
    ...(await orphans(scene)),
    ...(await ports(scene, listenOf(paths))),
    ...firstProcess(),
    ...openFiles(scene),
    ...kept.findings,
    ...services(scene, kept.services),
    await unit(scene, signal),
  ];
}

/** A record that cannot be read is no obstacle: the permissions of it are looked at on their own. */
function listenOf(paths: ReturnType<typeof statePathsOf>): readonly string[] {
  try {
    return readLastStart(paths)?.listen ?? [];
  } catch {
    return [];
  }
}
